import { isClusterEvent, isLifecycleEvent } from '@baton/contracts';
import type { StoredEvent, StoredTail, TailPosition } from '@baton/event-log';
import { type EventRecord, recordOfStored } from '../kafka/kafka-record.js';
import type { Acknowledged } from '../kafka/topic-writer.js';
import type { topicNames } from '../kafka/topics.js';
import type { PublisherState, PublisherStore, Republished } from './publisher-store.js';
import { lossOf, marksAfter, type SeenTopics } from './topic-marks.js';

export interface LaneOptions {
  /** The name of its checkpoint. */
  name: string;
  tail: StoredTail;
  store: PublisherStore;
  names: ReturnType<typeof topicNames>;
  batch: number;
}

type Read = Awaited<ReturnType<StoredTail['readStored']>>;

/**
 * Job: takes one tail to its topics: reads ahead while the batch before it is on its way.
 * Boundary: whoever drives it has a writer, and knows when a broker may have lost something.
 * Invariants:
 * 1. The checkpoint moves only after the acknowledgement, by compare-and-set, with the marks in the same statement.
 * 2. A batch is sent after the answer to the one before: the order of a process holds.
 * 3. After any failure, or when somebody else moved the checkpoint, it begins anew at the stored checkpoint.
 */
export class PublisherLane {
  #state: PublisherState | null = null;
  #clusterId: string | null = null;
  #ahead: Promise<Read> | null = null;
  #moving: Promise<boolean> = Promise.resolve(true);

  constructor(private readonly options: LaneOptions) {}

  get name(): string {
    return this.options.name;
  }
  get topics(): string[] {
    const { name, names } = this.options;
    return name.endsWith('/cluster') ? [names.cluster] : [names.process, names.lifecycle];
  }
  get clusterId(): string | null {
    return this.#clusterId;
  }
  get republished(): Republished | null {
    return this.#state?.republished ?? null;
  }

  /** What was acknowledged last, as stored; loaded when it is not known. */
  async state(): Promise<PublisherState> {
    this.#state ??= await this.options.store.load(this.options.name);
    return this.#state;
  }

  /** Begins anew at the stored checkpoint. */
  async forget(): Promise<void> {
    const { name } = this.options;
    this.#ahead = null;
    this.#state = null;
    const moving = this.#moving;
    this.#moving = Promise.resolve(true);
    await moving.catch((error: unknown) => {
      throw new Error(`The checkpoint of ${name} could not be moved.`, { cause: error });
    });
  }

  /** Sends the next batch, and says why the broker must have lost something, if so. */
  async step(
    send: (batches: { topic: string; records: EventRecord[] }[]) => Promise<Acknowledged[]>,
  ): Promise<{ published: number; more: boolean; loss: string | null }> {
    const { tail, batch, store, name } = this.options;
    const state = await this.state();
    const from = state.position;
    const { events, position } = await (this.#ahead ?? tail.readStored(from, batch));
    this.#ahead = null;
    if (events.length === 0 || position === null) return { published: 0, more: false, loss: null };
    const more = events.length >= batch;
    if (more) this.#readAhead(position);
    const acknowledged = await send(this.#batches(events));
    if (!(await this.#moving)) {
      await this.forget();
      return { published: events.length, more: true, loss: null };
    }
    const { marks, loss } = marksAfter(state.marks, acknowledged);
    if (loss !== null) return { published: events.length, more: true, loss };
    const known = { clusterId: this.#clusterId ?? state.clusterId, marks };
    this.#state = { ...state, ...known, position };
    this.#moving = store.move(name, from, position, known);
    // Told where it is awaited: by the next step, or here.
    this.#moving.catch(() => undefined);
    if (!more && !(await this.#moving)) await this.forget();
    return { published: events.length, more, loss: null };
  }

  /** Why something that was acknowledged is not there any more; null: all is well, as far as is seen. */
  async judge(seen: SeenTopics): Promise<string | null> {
    const state = await this.state();
    this.#clusterId = seen.clusterId;
    return lossOf(state, seen);
  }

  /** Everything that the topics would still hold is published again. */
  async goBack(reason: string, clusterId: string, retentionMs: number | null): Promise<Republished> {
    await this.forget();
    return this.options.store.goBack(this.options.name, retentionMs, { clusterId, reason });
  }

  #readAhead(position: TailPosition): void {
    const { tail, batch } = this.options;
    this.#ahead = tail.readStored(position, batch);
    this.#ahead.catch(() => undefined);
  }

  #batches(events: readonly StoredEvent[]): { topic: string; records: EventRecord[] }[] {
    const { names } = this.options;
    const all: EventRecord[] = [];
    const lifecycle: EventRecord[] = [];
    const cluster: EventRecord[] = [];
    for (const event of events) {
      const record = recordOfStored(event);
      if (isClusterEvent(event.type)) cluster.push(record);
      else all.push(record);
      if (isLifecycleEvent(event.type)) lifecycle.push(record);
    }
    return [
      { topic: names.process, records: all },
      { topic: names.lifecycle, records: lifecycle },
      { topic: names.cluster, records: cluster },
    ];
  }
}
