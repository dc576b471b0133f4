import type { Instruments } from '@baton/telemetry';
import type { LogPool } from '../scheduler.ports.js';
import { readGauges } from '../sql/read-gauges.sql.js';

interface Row {
  queue: Record<string, number>;
  executors: Record<string, number>;
  driven: number;
  capacity: number;
  incidents: number;
  tasks: number;
  longest_wait: number;
  lags: Record<string, number> | null;
}

const statuses = ['alive', 'draining', 'suspect', 'lost', 'left'];
const priorities = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * What the whole cluster waits for, read when somebody asks for metrics. Every scheduler tells the same, so take the
 * largest, not the sum. Gauges of one scrape share a look.
 */
export class ClusterGauges {
  #look: { at: number; row: Promise<Row> } | null = null;

  constructor(
    private readonly options: {
      pool: Pick<LogPool, 'query'>;
      instruments: Pick<Instruments, 'observe'>;
      monotonicMs: () => number;
      /** Subscribers of the tail that this cluster has: lists, publisher, traces. */
      subscribers: readonly string[];
    },
  ) {
    const { instruments } = options;
    instruments.observe('baton.queue.depth', async (observe) => {
      const { queue } = await this.#row();
      for (const priority of priorities) observe(queue[priority] ?? 0, { priority });
    });
    instruments.observe('baton.executor.count', async (observe) => {
      const { executors } = await this.#row();
      for (const status of statuses) observe(executors[status] ?? 0, { status });
    });
    instruments.observe('baton.executor.driven', async (observe) => observe((await this.#row()).driven));
    instruments.observe('baton.executor.capacity', async (observe) => observe((await this.#row()).capacity));
    instruments.observe('baton.incident.open', async (observe) => observe((await this.#row()).incidents));
    instruments.observe('baton.task.open', async (observe) => observe((await this.#row()).tasks));
    instruments.observe('baton.timer.lag', async (observe) => observe((await this.#row()).longest_wait));
    instruments.observe('baton.tail.lag', async (observe) => {
      for (const [subscriber, lag] of Object.entries((await this.#row()).lags ?? {})) observe(lag, { subscriber });
    });
  }

  #row(): Promise<Row> {
    const now = this.options.monotonicMs();
    if (this.#look !== null && now - this.#look.at < 1_000) return this.#look.row;
    const row = this.options.pool.query<Row>(readGauges, [this.options.subscribers]).then(({ rows }) => {
      const [found] = rows;
      if (found === undefined) throw new Error('The gauges could not be read: no row came.');
      return found;
    });
    this.#look = { at: now, row };
    return row;
  }
}
