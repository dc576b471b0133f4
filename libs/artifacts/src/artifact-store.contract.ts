import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { getJson, putJson } from './artifact-json.js';
import {
  ArtifactDamaged,
  ArtifactMissing,
  ArtifactRefused,
  type ArtifactStore,
  type Digest,
} from './artifact-store.port.js';

/** What a suite needs beside the store to look behind it. */
export interface StoreUnderTest {
  store: ArtifactStore;
  /** Changes stored bytes, as a broken disk does. */
  damage: (digest: Digest) => Promise<void>;
  /** How many contents there are, visible or not. */
  contents: () => Promise<number>;
  /** Leaves an upload of three pieces unfinished, as a crash does. */
  crashDuringPut: () => Promise<void>;
}

const sha = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** The one suite of all adapters; the numbers are those of ArtifactStore. */
export function artifactStoreContract(under: () => StoreUnderTest): void {
  it('2: gives back what was put, of any size and in any pieces', async () => {
    const { store } = under();
    for (const size of [0, 1, 1000, 262_143, 262_144, 262_145, 1_000_000]) {
      const bytes = randomBytes(size);
      const whole = await store.put(bytes, 'text/plain');
      expect(whole).toEqual({ digest: sha(bytes), size, mediaType: 'text/plain' });
      expect((await readAll(await store.get(whole.digest))).equals(bytes)).toBe(true);
      const other = randomBytes(size);
      const streamed = await store.put(inPieces(other, 7777));
      expect(streamed).toEqual({ digest: sha(other), size, mediaType: 'application/octet-stream' });
      expect((await readAll(await store.get(streamed.digest))).equals(other)).toBe(true);
      expect(await store.find(streamed.digest)).toEqual({ digest: sha(other), size });
    }
  });

  it('2: gives any range of it', async () => {
    const { store } = under();
    const bytes = randomBytes(600_000);
    const { digest } = await store.put(inPieces(bytes, 50_000));
    await fc.assert(
      fc.asyncProperty(fc.nat(650_000), fc.option(fc.nat(650_000), { nil: undefined }), async (start, length) => {
        const end = length === undefined ? undefined : start + length;
        expect((await readAll(await store.get(digest, { start, end }))).equals(bytes.subarray(start, end))).toBe(true);
      }),
      { numRuns: 30 },
    );
    await expect(store.get(digest, { start: -1 })).rejects.toThrow(RangeError);
    await expect(store.get(digest, { start: 5, end: 4 })).rejects.toThrow(RangeError);
  });

  it('2: says that it is damaged, and gives no other bytes, ranges included', async () => {
    const { store, damage } = under();
    const { digest } = await store.put(inPieces(randomBytes(600_000), 100_000));
    await damage(digest);
    await expect(readAll(await store.get(digest))).rejects.toThrow(ArtifactDamaged);
    await expect(readAll(await store.get(digest, { start: 10, end: 20 }))).rejects.toThrow(ArtifactDamaged);
  });

  it('says that it has none', async () => {
    const { store } = under();
    await expect(store.get(sha(Buffer.from('nothing')))).rejects.toThrow(ArtifactMissing);
    expect(await store.find(sha(Buffer.from('nothing')))).toBeNull();
    expect(await store.find('../../etc/passwd')).toBeNull();
  });

  it('3: keeps the same content once, also when many put it at the same time', async () => {
    const { store, contents } = under();
    const before = await contents();
    for (const size of [100, 700_000]) {
      const bytes = randomBytes(size);
      const results = await Promise.all(Array.from({ length: 5 }, () => store.put(inPieces(bytes, 100_000))));
      await store.put(bytes);
      expect(new Set(results.map((result) => result.digest)).size).toBe(1);
      expect((await readAll(await store.get(sha(bytes)))).equals(bytes)).toBe(true);
    }
    expect(await contents()).toBe(before + 2);
  });

  it('1: keeps nothing of what broke off, was too large, or was not what it was said to be', async () => {
    const { store, contents } = under();
    const before = await contents();
    const bytes = randomBytes(700_000);
    async function* breaking() {
      yield bytes.subarray(0, 300_000);
      yield bytes.subarray(300_000, 600_000);
      throw new Error('the source broke');
    }
    await expect(store.put(breaking())).rejects.toThrow('the source broke');
    await expect(store.put(inPieces(bytes, 100_000), undefined, { maxBytes: 699_999 })).rejects.toThrow(
      ArtifactRefused,
    );
    await expect(store.put(bytes.subarray(0, 100), undefined, { digest: sha(bytes) })).rejects.toThrow(ArtifactRefused);
    await expect(store.put(inPieces(bytes, 100_000), undefined, { digest: sha(Buffer.from('x')) })).rejects.toThrow(
      ArtifactRefused,
    );
    await expect(
      store.put(inPieces(bytes, 100_000), undefined, { signal: AbortSignal.abort(new Error('cut off')) }),
    ).rejects.toThrow('cut off');
    expect(await store.find(sha(bytes))).toBeNull();
    expect(await contents()).toBe(before);
  });

  it('1, 4: a crash leaves nothing visible, and what it left is collected, once it is old', async () => {
    const { store, contents, crashDuringPut } = under();
    const before = await contents();
    await crashDuringPut();
    expect(await contents()).toBe(before + 1);
    expect(await store.collect(3_600_000)).toBe(0);
    expect(await store.collect(-1000)).toBe(1);
    expect(await contents()).toBe(before);
  });

  it('holds JSON values', async () => {
    const { store } = under();
    const value = { list: Array.from({ length: 50_000 }, (_, n) => n), text: 'ü' };
    const reference = await putJson(store, value);
    expect(reference.$artifact).toMatchObject({
      mediaType: 'application/json',
      size: Buffer.byteLength(JSON.stringify(value)),
    });
    expect(await getJson(store, reference.$artifact.digest)).toEqual(value);
    const { digest } = await store.put(Buffer.from('no json'));
    await expect(getJson(store, digest)).rejects.toThrow(ArtifactDamaged);
  });
}
