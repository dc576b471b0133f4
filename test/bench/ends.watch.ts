import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import type { BatonServer } from './baton.server.js';

const hints = z.array(z.tuple([z.string(), z.string()]));
/** Hints that come together are answered by one look. */
const gatherMs = 1;
/** A hint may be lost, or say only that something ended: then all that is open is looked for. */
const lookAtAllEveryMs = 500;

/**
 * Learns which processes have ended: hears the hints that executors give, and asks the heads of those alone. To look for
 * all that were open was a tenth of what PostgreSQL did with 100 in flight, and counted as Baton's.
 */
export class EndsWatch {
  private readonly heard = new Set<string>();
  private all = true;
  private lookedAtAll = 0;
  private tell: () => void = () => undefined;

  private constructor(
    private readonly baton: BatonServer,
    private readonly client: pg.Client,
  ) {}

  static async start(baton: BatonServer): Promise<EndsWatch> {
    const client = new pg.Client({
      connectionString: baton.whereabouts().database,
      application_name: 'baton bench ends',
    });
    const watch = new EndsWatch(baton, client);
    client.on('notification', ({ payload }) => watch.receive(payload ?? '[]'));
    await client.connect();
    await client.query('listen baton');
    return watch;
  }

  /** Waits until there is something to look for, and gives those of `open` that have ended. */
  async ended(open: ReadonlySet<string>): Promise<string[]> {
    const due = performance.now() - this.lookedAtAll > lookAtAllEveryMs;
    if (!due && !this.all && this.heard.size === 0) {
      const stop = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => {
          this.tell = resolve;
        }),
        pause(lookAtAllEveryMs, undefined, { signal: stop.signal, ref: true }).catch(() => undefined),
      ]);
      stop.abort('heard');
      await pause(gatherMs);
    }
    const everything = this.all || performance.now() - this.lookedAtAll > lookAtAllEveryMs;
    // One that is not known yet may be a request whose answer is still on its way: it stays heard.
    const wanted = everything ? [...open] : [...this.heard].filter((id) => open.has(id));
    if (everything) {
      this.all = false;
      this.lookedAtAll = performance.now();
    }
    if (wanted.length === 0) {
      await pause(gatherMs);
      return [];
    }
    for (const id of wanted) this.heard.delete(id);
    return endedOf(this.baton, wanted);
  }

  async stop(): Promise<void> {
    await this.client.end();
  }

  private receive(payload: string): void {
    for (const [topic, id] of hints.parse(JSON.parse(payload))) {
      if (topic !== 'ended') continue;
      if (id === '') this.all = true;
      else this.heard.add(id.slice(id.indexOf('-') + 1));
      this.tell();
    }
  }
}

/** Those of them that have ended, by their heads. */
export async function endedOf(baton: BatonServer, ids: string[]): Promise<string[]> {
  const { rows } = await baton.pool.query<{ id: string }>({ name: 'ended', text: endedHeads, values: [ids] });
  return rows.map(({ id }) => id);
}

/**
 * Ended: nobody owns it, and nothing is due. One that was only requested or scheduled has fewer than three events.
 * `offset 0` keeps the planner on the key: it would rather read all heads without an owner, once for each id.
 */
const endedHeads = `select p.id from unnest($1::uuid[]) s(id)
  cross join lateral (select * from process where id = s.id offset 0) p
  where p.owner is null and p.runnable_at is null and p.version > 2`;
