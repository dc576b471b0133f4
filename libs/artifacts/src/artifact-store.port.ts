/** `sha256:` and 64 hexadecimal digits, of the content. */
export type Digest = string;

export interface StoredArtifact {
  digest: Digest;
  size: number;
}

export interface PutOptions {
  /** What the content must be; anything else is refused. */
  digest?: Digest;
  maxBytes?: number;
  signal?: AbortSignal;
}

/** Bytes from `start` (inclusive) to `end` (exclusive; default: to the end). */
export interface ByteRange {
  start: number;
  end?: number;
}

/**
 * Where what is too large for an event lies: content-addressed, immutable. Adapters: PostgreSQL, file system. Both pass
 * `artifact-store.contract.ts`.
 *
 * 1. An artifact is visible whole or not at all, whatever dies while it is written.
 * 2. What is read is what was written: checked on every read, ranges too; a damaged one is an error, never other bytes.
 * 3. The same content is stored once.
 * 4. What a crash leaves behind is collected.
 */
export interface ArtifactStore {
  put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    mediaType?: string,
    options?: PutOptions,
  ): Promise<StoredArtifact & { mediaType: string }>;
  find(digest: Digest): Promise<StoredArtifact | null>;
  /** Throws ArtifactMissing at once; ArtifactDamaged while it is read, at the latest at its end. */
  get(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>;
  /** Removes uploads that nobody has written to for this long. Returns how many. */
  collect(unfinishedForMs: number): Promise<number>;
}

export class ArtifactMissing extends Error {
  override name = 'ArtifactMissing';
  constructor(digest: Digest) {
    super(`There is no artifact ${digest} in the store`);
  }
}
export class ArtifactDamaged extends Error {
  override name = 'ArtifactDamaged';
  constructor(digest: Digest, what: string) {
    super(`The artifact ${digest} is damaged (${what}); restore it from a backup, or put it again`);
  }
}
/** Refused while it was written: too large, or not what it was said to be. Nothing of it is kept. */
export class ArtifactRefused extends Error {
  override name = 'ArtifactRefused';
}
