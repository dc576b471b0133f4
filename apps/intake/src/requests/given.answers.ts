import type { Json } from '@baton/process';
import type { Pool } from 'pg';
import { findGivenAnswers } from './find-given-answers.sql.js';
import type { GivenAnswers } from './request.acceptor.js';

/** Looked up only for requests that are refused: those that are good are settled where they are created. */
export class PostgresGivenAnswers implements GivenAnswers {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  async find(principal: string, keys: readonly string[]): Promise<Map<string, { bodyDigest: string; answer: Json }>> {
    const { rows } = await this.pool.query<{ key: string; body_digest: string; answer: Json }>(findGivenAnswers, [
      principal,
      keys,
    ]);
    return new Map(rows.map((row) => [row.key, { bodyDigest: row.body_digest, answer: row.answer }]));
  }
}
