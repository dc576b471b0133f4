import { createHash, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { chunkSize, digestOf, Intake, inChunks, within } from '../artifact-content.js';
import {
  ArtifactDamaged,
  ArtifactMissing,
  ArtifactRefused,
  type ArtifactStore,
  type ByteRange,
  type Digest,
  type PutOptions,
  type StoredArtifact,
} from '../artifact-store.port.js';
import { collectUploads } from '../sql/collect-uploads.sql.js';
import { dropContent } from '../sql/drop-content.sql.js';
import { findArtifact } from '../sql/find-artifact.sql.js';
import { finishUpload } from '../sql/finish-upload.sql.js';
import { putSmall } from '../sql/put-small.sql.js';
import { readChunk } from '../sql/read-chunk.sql.js';
import { writeChunk } from '../sql/write-chunk.sql.js';

interface Row {
  content: string;
  size: number;
  chunk_size: number;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

const collected = () =>
  new ArtifactRefused('The upload took so long that it was collected as a leftover; put it again');

/** In PostgreSQL, in chunks, each written and read in a short statement of its own: no transaction waits for a slow stream. */
export class PostgresArtifactStore implements ArtifactStore {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    mediaType = 'application/octet-stream',
    options: PutOptions = {},
  ): Promise<StoredArtifact & { mediaType: string }> {
    const stored =
      content instanceof Uint8Array && content.length <= chunkSize
        ? await this.putWhole(content, options)
        : await this.putStream(content, options);
    return { ...stored, mediaType };
  }

  async find(digest: Digest): Promise<StoredArtifact | null> {
    const row = await this.row(digest);
    return row && { digest, size: row.size };
  }

  async get(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const row = await this.row(digest);
    if (!row) throw new ArtifactMissing(digest);
    return this.read(digest, row, within(range, row.size));
  }

  async collect(unfinishedForMs: number): Promise<number> {
    for (let total = 0; ; ) {
      const { rows } = await this.pool.query<{ count: number }>(collectUploads, [unfinishedForMs]);
      const count = rows[0]?.count ?? 0;
      total += count;
      if (count === 0) return total;
    }
  }

  private async row(digest: Digest): Promise<Row | null> {
    const { rows } = await this.pool.query<Row>(findArtifact, [digest]);
    return rows[0] ?? null;
  }

  private async putWhole(content: Uint8Array, options: PutOptions): Promise<StoredArtifact> {
    const intake = new Intake(options);
    intake.take(content);
    const digest = intake.finish();
    await this.pool.query(putSmall, [
      digest,
      randomUUID(),
      content.length,
      chunkSize,
      sha256(content),
      Buffer.from(content),
    ]);
    return { digest, size: content.length };
  }

  private async putStream(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredArtifact> {
    const id = randomUUID();
    const intake = new Intake(options);
    let chunks = 0;
    try {
      for await (const chunk of inChunks(content)) {
        intake.take(chunk);
        const written = await this.pool.query(writeChunk, [id, chunks, sha256(chunk), chunk]);
        if (written.rowCount !== 1) throw collected();
        chunks += 1;
      }
      if (chunks === 0) return await this.putWhole(new Uint8Array(), options);
      const digest = intake.finish();
      const { rows } = await this.pool.query<{ uploaded: number; made: number }>(finishUpload, [
        digest,
        id,
        intake.size,
        chunkSize,
      ]);
      if (rows[0]?.uploaded !== 1) throw collected();
      if (rows[0].made !== 1) await this.drop(id);
      return { digest, size: intake.size };
    } catch (error) {
      // What cannot be dropped now is collected later. Whether it was made visible is not known when an answer was lost.
      if (chunks > 0) await this.dropUnlessVisible(id).catch(() => undefined);
      throw error;
    }
  }

  private async drop(id: string): Promise<void> {
    await this.pool.query(dropContent, [id]);
  }

  private async dropUnlessVisible(id: string): Promise<void> {
    const { rows } = await this.pool.query('select from artifact where content = $1', [id]);
    if (rows.length === 0) await this.drop(id);
  }

  private async *read(
    digest: Digest,
    row: Row,
    { start, end }: { start: number; end: number },
  ): AsyncGenerator<Uint8Array> {
    const whole = start === 0 && end === row.size ? createHash('sha256') : null;
    for (let number = Math.floor(start / row.chunk_size); number * row.chunk_size < end; number++) {
      const { rows } = await this.pool.query<{ digest: Buffer; data: Buffer }>(readChunk, [row.content, number]);
      const chunk = rows[0];
      if (!chunk) throw new ArtifactDamaged(digest, `chunk ${number} is missing`);
      const offset = number * row.chunk_size;
      if (chunk.data.length !== Math.min(row.chunk_size, row.size - offset) || !sha256(chunk.data).equals(chunk.digest))
        throw new ArtifactDamaged(digest, `chunk ${number} is not what was written`);
      whole?.update(chunk.data);
      // The digest of the whole is checked before its last piece is given away.
      if (whole && offset + chunk.data.length >= end && digestOf(whole) !== digest)
        throw new ArtifactDamaged(digest, 'its digest is another');
      yield chunk.data.subarray(Math.max(0, start - offset), end - offset);
    }
  }
}
