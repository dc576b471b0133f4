import type { WakeUp } from '../event-log.port.js';
import { Reconnecting } from './reconnecting.js';

const channel = 'baton';
/** What pg_notify is given by a statement that changes the cluster. */
export const hintToCluster = [channel, JSON.stringify([['cluster', '']])] as const;
type Topic = Parameters<WakeUp['notify']>[0];

/**
 * Hints over NOTIFY, on connections of their own and never in an append's transaction (in the commit it would serialise
 * all of them). Coalesced: at most one statement every 3 ms, the first of them at once: what waits for nobody else is not
 * kept waiting. Whatever is lost, a poll finds.
 */
export class PostgresWakeUp implements WakeUp {
  readonly #listeners = new Set<(topic: string, detail: string) => void>();
  readonly #pending = new Map<string, { topic: Topic; detail: string }>();
  readonly #out: Reconnecting;
  readonly #in: Reconnecting;
  #timer: NodeJS.Timeout | null = null;
  #started = false;
  #sending = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  constructor(
    url: string,
    private readonly options: { enabled: boolean; coalesceMs?: number; checkEveryMs?: number },
  ) {
    const checkEveryMs = options.checkEveryMs ?? 10_000;
    this.#out = new Reconnecting({
      url,
      application: 'baton notify',
      // A hint that a crash loses is found by a poll: it waits for no disk, and costs no fsync.
      onConnect: async (client) => {
        await client.query('set synchronous_commit = off');
      },
      check: async (client) => {
        await client.query('select 1');
      },
      checkEveryMs,
    });
    this.#in = new Reconnecting({
      url,
      application: 'baton listen',
      onConnect: async (client) => {
        client.on('notification', (message) => this.#receive(message.payload ?? '[]'));
        await client.query(`listen ${channel}`);
        // What was sent while nobody listened is lost: everybody looks once.
        for (const topic of ['runnable', 'owned', 'queue', 'message', 'cluster']) this.#tell(topic, '');
      },
      check: async (client) => {
        const { rows } = await client.query<{ channel: string }>('select pg_listening_channels() as channel');
        if (!rows.some((row) => row.channel === channel)) throw new Error('The session listens no more.');
      },
      checkEveryMs,
    });
  }

  async start(): Promise<void> {
    if (!this.options.enabled || this.#started) return;
    this.#started = true;
    await Promise.all([this.#out.start(), this.#in.start()]);
  }

  async stop(): Promise<void> {
    this.#started = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending.clear();
    await Promise.all([this.#out.stop(), this.#in.stop()]);
  }

  notify(topic: Topic, detail = ''): void {
    if (!this.#started) return;
    this.#pending.set(`${topic}:${detail}`, { topic, detail });
    this.#sendSoon();
  }

  #sendSoon(): void {
    const coalesceMs = this.options.coalesceMs ?? 3;
    const rest = Math.min(coalesceMs, this.#sentAt + coalesceMs - performance.now());
    this.#timer ??= setTimeout(() => void this.#send(), Math.max(0, rest));
  }

  /** Both sessions stand: a hint that is given is heard. */
  get isLive(): boolean {
    return this.#started && this.#out.client !== null && this.#in.client !== null;
  }

  listen(listener: (topic: string, detail: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #send(): Promise<void> {
    this.#timer = null;
    const client = this.#out.client;
    if (this.#pending.size === 0 || this.#sending) return;
    const all = [...this.#pending.values()];
    this.#pending.clear();
    if (!client) return;
    this.#sending = true;
    this.#sentAt = performance.now();
    try {
      // A payload holds 8,000 bytes; beyond that a word without detail says "look everywhere".
      const payload = JSON.stringify(all.map((hint) => [hint.topic, hint.detail]));
      const short = JSON.stringify([...new Set(all.map((hint) => hint.topic))].map((topic) => [topic, '']));
      await client.query('select pg_notify($1, $2)', [channel, Buffer.byteLength(payload) < 7_900 ? payload : short]);
    } catch (error) {
      // A hint that is lost costs one poll interval; the connection's own handler brings it back.
      void error;
    } finally {
      this.#sending = false;
      if (this.#pending.size > 0 && this.#started) this.#sendSoon();
    }
  }

  #receive(payload: string): void {
    let hints: unknown;
    try {
      hints = JSON.parse(payload);
    } catch (error) {
      // Somebody else's word on our channel: as good as a hint to look everywhere.
      void error;
      hints = [['runnable', '']];
    }
    if (!Array.isArray(hints)) return;
    for (const hint of hints) {
      if (Array.isArray(hint) && typeof hint[0] === 'string') this.#tell(hint[0], String(hint[1] ?? ''));
    }
  }

  #tell(topic: string, detail: string): void {
    for (const listener of this.#listeners) listener(topic, detail);
  }
}
