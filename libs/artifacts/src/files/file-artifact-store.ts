import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkSize, digestOf, Intake, inChunks, isDigest, within } from '../artifact-content.js';
import {
  ArtifactDamaged,
  ArtifactMissing,
  type ArtifactStore,
  type ByteRange,
  type Digest,
  type PutOptions,
  type StoredArtifact,
} from '../artifact-store.port.js';

/**
 * In a directory: `ab/cdef…`, named by digest. Written beside, synced, renamed, and the directory synced, so that a power
 * cut leaves the whole content or none.
 */
export class FileArtifactStore implements ArtifactStore {
  private readonly unfinished: string;

  constructor(
    private readonly directory: string,
    private readonly now: () => number = () => Date.now(),
  ) {
    this.unfinished = join(directory, 'unfinished');
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    mediaType = 'application/octet-stream',
    options: PutOptions = {},
  ): Promise<StoredArtifact & { mediaType: string }> {
    await mkdir(this.unfinished, { recursive: true });
    const temporary = join(this.unfinished, randomUUID());
    const intake = new Intake(options);
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of inChunks(content)) {
          intake.take(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const digest = intake.finish();
      const place = this.place(digest);
      await mkdir(dirname(place), { recursive: true });
      // Over one that is there: the same content, and if that one was damaged, it is whole again.
      await rename(temporary, place);
      await syncDirectory(dirname(place));
      await syncDirectory(this.directory);
      return { digest, size: intake.size, mediaType };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async find(digest: Digest): Promise<StoredArtifact | null> {
    if (!isDigest(digest)) return null;
    const found = await stat(this.place(digest)).catch(missing);
    return found ? { digest, size: found.size } : null;
  }

  async get(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const found = await this.find(digest);
    if (!found) throw new ArtifactMissing(digest);
    const { start, end } = within(range, found.size);
    const whole = start === 0 && end === found.size;
    return whole ? this.readWhole(digest, found.size) : this.readRange(digest, found.size, start, end);
  }

  async collect(unfinishedForMs: number): Promise<number> {
    const names = await readdir(this.unfinished).catch(missing);
    let count = 0;
    for (const name of names ?? []) {
      const path = join(this.unfinished, name);
      const found = await stat(path).catch(missing);
      if (!found || this.now() - found.mtimeMs < unfinishedForMs) continue;
      await rm(path, { force: true });
      count += 1;
    }
    return count;
  }

  private place(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return join(this.directory, hex.slice(0, 2), hex.slice(2));
  }

  /** The digest is checked before the last piece is given away. */
  private async *readWhole(digest: Digest, size: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let last: Buffer | null = null;
    let read = 0;
    for await (const piece of this.pieces(digest, 0, Number.POSITIVE_INFINITY)) {
      if (last) yield last;
      hash.update(piece);
      read += piece.length;
      last = piece;
    }
    if (read !== size || digestOf(hash) !== digest) throw new ArtifactDamaged(digest, 'its digest is another');
    if (last) yield last;
  }

  /** A file has no digests of its parts: it is read once to be checked, then for its range. */
  private async *readRange(digest: Digest, size: number, start: number, end: number): AsyncGenerator<Uint8Array> {
    for await (const piece of this.readWhole(digest, size)) void piece;
    yield* this.pieces(digest, start, end);
  }

  private async *pieces(digest: Digest, start: number, end: number): AsyncGenerator<Buffer> {
    const file = await open(this.place(digest), 'r').catch(missing);
    if (!file) throw new ArtifactMissing(digest);
    try {
      for (let position = start; position < end; ) {
        const length = Math.min(chunkSize, end - position);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
        if (bytesRead === 0) return;
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}

function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
