import type { Json, RecordedEvent } from '@baton/process';
import type { Append, Head, TailPosition } from '../event-log.port.js';

/** What a test may break. All switches are read at every call, so a test may change them as it goes. */
export interface MemoryFaults {
  /**
   * The fate of one append on its way. `lost`: never executed, in doubt. `answer-lost`: executed, in doubt.
   * `late`: in doubt now, executed when the test calls `deliverLate()`. `twice`: executed twice, the first answer counts.
   */
  fateOf?(append: Append): 'none' | 'lost' | 'answer-lost' | 'late' | 'twice';
  /** Awaited before anything of that kind happens: a test delays or orders calls with it. */
  before?(call: 'append' | 'read' | 'heads' | 'claims' | 'executors' | 'tail'): Promise<void> | void;
  /** The whole database is away: appends are in doubt, other calls throw. */
  away?: boolean;
  /** Planted faults of the protocol itself. */
  ownerCheckOff?: boolean;
  versionCheckOff?: boolean;
}

export interface MemoryOptions {
  /** ms since 1970: the database's clock. */
  now(): number;
  random?(): number;
  faults?: MemoryFaults;
  cell?: string;
}

export interface MemoryRow {
  id: string;
  path: string | null;
  detail: Json;
  [column: string]: Json;
}
export interface MemoryStream {
  head: Head;
  events: RecordedEvent[];
  queue: MemoryQueueRow | null;
  child: { parent: string; path: string; attempt: number; told: boolean } | null;
  rows: Record<'task' | 'incident' | 'receiver' | 'job', Map<string, MemoryRow>>;
}
export interface MemoryQueueRow {
  priority: number;
  notBefore: string | null;
  key: string | null;
  limit: number | null;
  onLimit: string | null;
  enqueuedAt: string;
}

/** The tables of one cell, in memory. Every adapter of `memory/` works on one of these. */
export class MemoryState {
  readonly streams = new Map<string, MemoryStream>();
  readonly all: { event: RecordedEvent; position: TailPosition }[] = [];
  readonly checkpoints = new Map<string, TailPosition>();
  transactionId = 1;
  /** The database accepts writes since then: a test that restarts it sets this. */
  acceptingSince: number;
  readonly faults: MemoryFaults;
  constructor(readonly options: MemoryOptions) {
    this.faults = options.faults ?? {};
    this.acceptingSince = options.now();
  }
  now(): number {
    return this.options.now();
  }
  iso(): string {
    return new Date(this.options.now()).toISOString();
  }
  random(): number {
    return this.options.random ? this.options.random() : 0.5;
  }
  async before(call: Parameters<NonNullable<MemoryFaults['before']>>[0]): Promise<void> {
    await this.faults.before?.(call);
    if (this.faults.away && call !== 'append') throw new Error('Connection terminated: the database is away.');
  }
}
