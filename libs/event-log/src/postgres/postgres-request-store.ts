import type { Json } from '@baton/process';
import type { Pool } from 'pg';
import { codeOf, messageOf } from '../append/isolate.js';
import { backoffMs, resultIfOurs } from '../append/settle.js';
import type { Append } from '../event-log.port.js';
import type { CreateResult, NewProcess, RequestStore } from '../requests.port.js';
import { findRequestKeys } from '../sql/find-request-keys.sql.js';
import { insertRequestKeys } from '../sql/insert-request-keys.sql.js';
import { isBadData, isUndecided } from './pg-errors.js';
import type { PostgresEventLog } from './postgres-event-log.js';
import { withTransaction } from './transaction.js';

/** Somebody with the same key was faster: nothing of the transaction stays, and their answer is looked up. */
class KeyTaken extends Error {}

/**
 * Creates processes from requests.
 * Invariants: 1. the row of a key is written after the append, in its transaction (rule 2), so a key without its
 * process or a process without its key never exists; 2. one key makes one process, however many ask at once;
 * 3. a lost answer to the commit is settled by what stands in the log.
 */
export class PostgresRequestStore implements RequestStore {
  constructor(
    private readonly pool: Pool,
    private readonly log: PostgresEventLog,
    private readonly options: { giveUpAfter?: number; pause?(ms: number): Promise<void> } = {},
  ) {}

  async createOnce(request: NewProcess): Promise<CreateResult> {
    return (await this.createMany([request]))[0]!;
  }

  async createMany(requests: readonly NewProcess[]): Promise<CreateResult[]> {
    const results: (CreateResult | undefined)[] = requests.map(() => undefined);
    const firstWithKey = new Map<string, number>();
    const own: number[] = [];
    requests.forEach((request, at) => {
      const id = keyId(request);
      if (id === null || !firstWithKey.has(id)) own.push(at);
      if (id !== null && !firstWithKey.has(id)) firstWithKey.set(id, at);
    });
    await this.#create(requests, own, results);
    // The same key twice in one array: the later one is answered as a repetition of the first.
    requests.forEach((request, at) => {
      if (results[at]) return;
      const first = firstWithKey.get(keyId(request)!)!;
      results[at] =
        requests[first]!.key!.bodyDigest === request.key!.bodyDigest
          ? repeated(results[first]!)
          : { status: 'key-reused' };
    });
    return results.map((result) => result!);
  }

  async #create(all: readonly NewProcess[], indexes: number[], results: (CreateResult | undefined)[]): Promise<void> {
    let doubtful = false;
    for (let failures = 0; ; ) {
      try {
        await this.#answerKnownKeys(all, indexes, results);
        const open = indexes.filter((at) => !results[at]);
        if (open.length > 0) await this.#append(all, open, results, doubtful);
        return;
      } catch (error) {
        const open = indexes.filter((at) => !results[at]);
        if (error instanceof KeyTaken) continue;
        if (isBadData(error)) {
          if (open.length === 1) {
            results[open[0]!] = { status: 'bad', code: codeOf(error), message: messageOf(error) };
            return;
          }
          const half = open.length >> 1;
          await this.#create(all, open.slice(0, half), results);
          await this.#create(all, open.slice(half), results);
          return;
        }
        if (!isUndecided(error) || failures >= (this.options.giveUpAfter ?? 8)) throw error;
        doubtful = true;
        this.log.noteDoubt();
        await (this.options.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))))(
          backoffMs(failures++),
        );
      }
    }
  }

  async #answerKnownKeys(
    all: readonly NewProcess[],
    indexes: number[],
    results: (CreateResult | undefined)[],
  ): Promise<void> {
    const keyed = indexes.filter((at) => !results[at] && all[at]!.key);
    if (keyed.length === 0) return;
    await this.log.barrier();
    const { rows } = await this.pool.query<{ principal: string; key: string; body_digest: string; answer: Json }>(
      findRequestKeys,
      [keyed.map((at) => all[at]!.key!.principal), keyed.map((at) => all[at]!.key!.key)],
    );
    const found = new Map(rows.map((row) => [JSON.stringify([row.principal, row.key]), row]));
    for (const at of keyed) {
      const row = found.get(keyId(all[at]!)!);
      if (row)
        results[at] =
          row.body_digest === all[at]!.key!.bodyDigest
            ? { status: 'repeated', answer: row.answer }
            : { status: 'key-reused' };
    }
  }

  async #append(
    all: readonly NewProcess[],
    open: number[],
    results: (CreateResult | undefined)[],
    doubtful: boolean,
  ): Promise<void> {
    const appends: Append[] = open.map((at) => ({
      stream: all[at]!.stream,
      expected: 'none',
      events: all[at]!.events,
    }));
    const written = await withTransaction(this.pool, async (client) => {
      const outcome = await this.log.appendWithin(client, appends);
      const owners = open.filter((at, index) => all[at]!.key && outcome[index]!.status === 'appended');
      const keyed = owners.map((at) => all[at]!.key!);
      if (keyed.length > 0) {
        const { rowCount } = await client.query(insertRequestKeys, [
          keyed.map((key) => key.principal),
          keyed.map((key) => key.key),
          keyed.map((key) => key.bodyDigest),
          owners.map((at) => JSON.stringify(all[at]!.answer)),
        ]);
        if (rowCount !== keyed.length) throw new KeyTaken();
      }
      return outcome;
    });
    const refused = appends.filter((_, index) => written[index]!.status === 'refused');
    const existing =
      refused.length > 0
        ? await this.log.readMany(refused.map(({ stream }) => ({ stream, after: 0 })))
        : new Map<string, never[]>();
    open.forEach((at, index) => {
      const append = appends[index]!;
      const stands =
        written[index]!.status === 'appended' ||
        (doubtful && resultIfOurs(append, existing.get(append.stream) ?? []).status === 'appended');
      results[at] = stands
        ? { status: 'created', answer: all[at]!.answer }
        : { status: 'bad', code: 'exists', message: `The process ${append.stream} exists already.` };
    });
  }

  async removeExpiredKeys(): Promise<number> {
    const { rowCount } = await this.pool.query(
      `delete from idempotency where (principal, key) in
        (select principal, key from idempotency where created_at <= now() - interval '7 days' limit 5000)`,
    );
    return rowCount ?? 0;
  }
}

function keyId(request: NewProcess): string | null {
  return request.key ? JSON.stringify([request.key.principal, request.key.key]) : null;
}
function repeated(result: CreateResult): CreateResult {
  return result.status === 'created' ? { status: 'repeated', answer: result.answer } : result;
}
