import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { artifactStoreContract, readAll, type StoreUnderTest } from '../artifact-store.contract.js';
import { FileArtifactStore } from './file-artifact-store.js';

const directory = mkdtempSync(join(tmpdir(), 'baton-artifacts-spec-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const store = new FileArtifactStore(directory);
const placeOf = (digest: string) => join(directory, digest.slice(7, 9), digest.slice(9));
const flip = (digest: string) => {
  const bytes = readFileSync(placeOf(digest));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(placeOf(digest), bytes);
};
const under: StoreUnderTest = {
  store,
  damage: async (digest) => flip(digest),
  contents: async () =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length,
  crashDuringPut: async () => {
    await mkdir(join(directory, 'unfinished'), { recursive: true });
    writeFileSync(join(directory, 'unfinished', 'left-by-a-crash'), 'half');
  },
};

describe('artifacts in files', () => {
  artifactStoreContract(() => under);

  it('a damaged one is whole again when its content is put again', async () => {
    const { digest } = await store.put(Buffer.from('content'));
    flip(digest);
    await store.put(Buffer.from('content'));
    expect((await readAll(await store.get(digest))).toString()).toBe('content');
  });

  it('a truncated one is damaged', async () => {
    const { digest } = await store.put(Buffer.from('another content'));
    writeFileSync(placeOf(digest), 'another');
    await expect(readAll(await store.get(digest))).rejects.toThrow(/damaged/);
  });
});
