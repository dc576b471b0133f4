import type { Json } from '@baton/process';
import type { Pool } from 'pg';
import { createStatement } from '../append/create-batch.js';
import { codeOf, messageOf } from '../append/isolate.js';
import { backoffMs, resultIfOurs } from '../append/settle.js';
import type { CreateResult, NewProcess, RequestStore } from '../requests.port.js';
import { isBadData, isUndecided } from './pg-errors.js';
import type { PostgresEventLog } from './postgres-event-log.js';
import { sendAlone } from './send-alone.js';

interface CreatedRow {
  ids: string | null;
  /** By process: digest of the body and answer of those whose key came before. */
  known: Record<string, [string, Json]> | null;
}

/** Somebody with the same key was faster: nothing of the statement stays, and the next one finds their answer. */
function isKeyTaken(error: unknown): boolean {
  return codeOf(error) === '22012';
}

/**
 * Creates processes from requests.
 * Invariants: 1. the row of a key is written after the append, in its statement (rule 2), so a key without its
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
        await this.#send(all, indexes, results, doubtful);
        return;
      } catch (error) {
        if (isKeyTaken(error)) continue;
        if (isBadData(error)) {
          if (indexes.length === 1) {
            results[indexes[0]!] = { status: 'bad', code: codeOf(error), message: messageOf(error) };
            return;
          }
          const half = indexes.length >> 1;
          await this.#create(all, indexes.slice(0, half), results);
          await this.#create(all, indexes.slice(half), results);
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

  async #send(
    all: readonly NewProcess[],
    indexes: readonly number[],
    results: (CreateResult | undefined)[],
    doubtful: boolean,
  ): Promise<void> {
    // What is answered as known must be as durable as a commit, also when nothing new is written.
    await this.log.barrier();
    const requests = indexes.map((at) => all[at]!);
    const rows = await sendAlone<CreatedRow>(this.pool, createStatement(requests, this.log.ids));
    const created = new Set(rows[0]!.ids?.split(','));
    const known = rows[0]!.known ?? {};
    const refused: number[] = [];
    for (const at of indexes) {
      const { stream, key, answer } = all[at]!;
      const uuid = this.log.ids.mustUuid(stream);
      const before = known[uuid];
      if (created.has(uuid)) results[at] = { status: 'created', answer };
      else if (!before) refused.push(at);
      else
        results[at] =
          before[0] === key!.bodyDigest ? { status: 'repeated', answer: before[1] } : { status: 'key-reused' };
    }
    if (refused.length > 0) await this.#settle(all, refused, results, doubtful);
  }

  /** Invariant 3: what is there already may be what was sent before, whose answer was lost. */
  async #settle(
    all: readonly NewProcess[],
    refused: readonly number[],
    results: (CreateResult | undefined)[],
    doubtful: boolean,
  ): Promise<void> {
    const existing = await this.log.readMany(refused.map((at) => ({ stream: all[at]!.stream, after: 0 })));
    for (const at of refused) {
      const { stream, events, answer } = all[at]!;
      const found = existing.get(stream) ?? [];
      const isOurs = doubtful && resultIfOurs({ stream, expected: 'none', events }, found).status === 'appended';
      results[at] = isOurs
        ? { status: 'created', answer }
        : { status: 'bad', code: 'exists', message: `The process ${stream} exists already.` };
    }
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
