import { createHash, type Hash } from 'node:crypto';
import { ArtifactRefused, type ByteRange, type Digest, type PutOptions } from './artifact-store.port.js';

export const chunkSize = 256 * 1024;

export function digestOf(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** Counts, hashes and limits what goes in, whatever pieces it comes in. */
export class Intake {
  private readonly hash = createHash('sha256');
  size = 0;

  constructor(private readonly options: PutOptions) {}

  take(piece: Uint8Array): void {
    this.options.signal?.throwIfAborted();
    this.size += piece.length;
    const { maxBytes } = this.options;
    if (maxBytes !== undefined && this.size > maxBytes)
      throw new ArtifactRefused(`The content is larger than the ${maxBytes} bytes that are allowed`);
    this.hash.update(piece);
  }

  finish(): Digest {
    this.options.signal?.throwIfAborted();
    const digest = digestOf(this.hash);
    if (this.options.digest !== undefined && this.options.digest !== digest)
      throw new ArtifactRefused(`The content is ${digest}, not ${this.options.digest} as was said`);
    return digest;
  }
}

/** The same bytes in pieces of one size, the last one smaller. */
export async function* inChunks(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  size = chunkSize,
): AsyncGenerator<Buffer> {
  if (content instanceof Uint8Array) {
    for (let start = 0; start < content.length; start += size) yield Buffer.from(content.subarray(start, start + size));
    return;
  }
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    held.push(piece);
    length += piece.length;
    if (length < size) continue;
    const all = Buffer.concat(held);
    let start = 0;
    for (; all.length - start >= size; start += size) yield all.subarray(start, start + size);
    held = [all.subarray(start)];
    length = all.length - start;
  }
  if (length > 0) yield Buffer.concat(held);
}

/** The range within the size; throws on one that makes no sense. */
export function within(range: ByteRange | undefined, size: number): { start: number; end: number } {
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? size, size);
  if (
    !Number.isSafeInteger(start) ||
    start < 0 ||
    (range?.end !== undefined && (!Number.isSafeInteger(range.end) || range.end < start))
  )
    throw new RangeError(`The range ${range?.start}–${range?.end ?? ''} is none; expected 0 ≤ start ≤ end`);
  return { start: Math.min(start, size), end: Math.max(end, Math.min(start, size)) };
}
