import { type EventLog, type EventToFold, KnownStates, type SnapshotStore } from '@baton/event-log';
import {
  evolve,
  fromSnapshot,
  initialState,
  type ProcessEvent,
  type ProcessState,
  type RecordedEvent,
  stateShape,
  upcast,
} from '@baton/process';
import type { Logger } from '../executor.ports.js';

/** Written by another release, or damaged: whoever cannot read it must not drive it. */
export class EventNotUnderstood extends Error {
  override name = 'EventNotUnderstood';
}

/** A process as it is folded: its state at a version. */
export interface Folded {
  state: ProcessState;
  version: number;
  /** The version of the snapshot that it began at. */
  snapshot?: number;
}

interface Whole {
  folded: Folded;
  /** In today's shape. */
  events: ProcessEvent[];
}

const page = 1000;

/** Folds streams from the log, from a snapshot where one can be read (design 2: disposable, never fatal). */
export class StreamLoader {
  private readonly refused = new Set<string>();
  private readonly parked = new KnownStates<Folded & { last: string }>();

  constructor(
    private readonly ports: {
      log: Pick<EventLog, 'readToFold' | 'readWholeToFold' | 'readMany'>;
      snapshots: Pick<SnapshotStore, 'load'>;
      logger: Logger;
    },
    private readonly settings: { snapshotEvery: number },
  ) {}

  /** `version` is what the head said; only streams that long can have a snapshot. */
  async load(stream: string, version: number): Promise<Folded> {
    const known = await this.known(stream, version);
    if (known !== null) return known;
    const folded = await this.start(stream, version);
    if (folded.version > 0) {
      try {
        await this.catchUp(stream, folded);
        return folded;
      } catch (error) {
        if (!(error instanceof EventNotUnderstood)) throw error;
        this.ports.logger.warn(
          { process: stream, error: error.message },
          'its snapshot does not fit its events; folded from the start',
        );
      }
    }
    const whole = { state: initialState(stream), version: 0 };
    await this.catchUp(stream, whole);
    return whole;
  }

  /**
   * It was parked here, and its last event has this id. A long one that is woken by each of a thousand answers is not read
   * from its snapshot for each: that was a quarter of the executor's work.
   */
  keep(stream: string, folded: Folded, last: string): void {
    this.parked.keep(stream, { ...folded, last });
  }

  private async known(stream: string, version: number): Promise<Folded | null> {
    const known = this.parked.take(stream);
    // Far behind, by what another executor did meanwhile: read by pages, from a snapshot.
    if (known === null || known.version > version || version - known.version > page) return null;
    const read = await this.ports.log.readMany([{ stream, after: known.version - 1 }]);
    const [same, ...news] = read.get(stream) ?? [];
    // A log that was restored since has another event there.
    if (same?.id !== known.last) return null;
    foldAll(known, news);
    return known;
  }

  /** A long stream from its snapshot; null: it is short, has none, or none that can be used. */
  async fromSnapshot(stream: string, version: number): Promise<Folded | null> {
    const folded = await this.start(stream, version);
    if (folded.version === 0) return null;
    try {
      await this.catchUp(stream, folded);
      return folded;
    } catch (error) {
      if (!(error instanceof EventNotUnderstood)) throw error;
      return null;
    }
  }

  /** Many short streams in one round trip; long ones each by themselves. Null: not understood by this release. */
  async loadMany(looked: readonly { stream: string; version: number }[]): Promise<Map<string, Folded | null>> {
    const short = looked.filter((one) => one.version < this.settings.snapshotEvery);
    const result = new Map<string, Folded | null>();
    if (short.length > 0) {
      const whole = await this.readWhole(short);
      for (const [stream, read] of whole) result.set(stream, read?.folded ?? null);
    }
    for (const one of looked)
      if (one.version >= this.settings.snapshotEvery)
        result.set(one.stream, await this.understood(one.stream, () => this.load(one.stream, one.version)));
    return result;
  }

  /** Streams with all their events: a takeover looks at what happened before. Null: not understood by this release. */
  async readWhole(looked: readonly { stream: string; version: number }[]): Promise<Map<string, Whole | null>> {
    const short = looked.filter((one) => one.version < page);
    const read = await this.ports.log.readWholeToFold(short.map(({ stream }) => stream));
    const result = new Map<string, Whole | null>();
    for (const { stream, version } of looked) {
      const folded = { state: initialState(stream), version: 0 };
      const whole = async (): Promise<Whole> => {
        const events: ProcessEvent[] = [];
        if (version < page) foldAll(folded, read.get(stream) ?? [], events);
        else await this.catchUp(stream, folded, events);
        return { folded, events };
      };
      result.set(stream, await this.understood(stream, whole));
    }
    return result;
  }

  /** Folds what came since. The next page comes while one is folded. */
  async catchUp(stream: string, folded: Folded, folds?: ProcessEvent[]): Promise<void> {
    let coming = this.ports.log.readToFold(stream, folded.version, page);
    for (;;) {
      const events = await coming;
      const isLast = events.length < page;
      if (!isLast) coming = this.ports.log.readToFold(stream, folded.version + page, page);
      try {
        foldAll(folded, events, folds);
      } catch (error) {
        if (!isLast) coming.catch(() => undefined); // nobody waits for it any more
        throw error;
      }
      if (isLast) return;
    }
  }

  private async understood<T>(stream: string, load: () => Promise<T>): Promise<T | null> {
    try {
      const loaded = await load();
      this.refused.delete(stream);
      return loaded;
    } catch (error) {
      if (!(error instanceof EventNotUnderstood)) throw error;
      if (!this.refused.has(stream))
        this.ports.logger.warn({ process: stream, reason: error.message }, 'not understood here; left to others');
      this.refused.add(stream);
      return null;
    }
  }

  private async start(stream: string, version: number): Promise<Folded> {
    if (version >= this.settings.snapshotEvery) {
      try {
        const snapshot = await this.ports.snapshots.load(stream, stateShape);
        const state = snapshot === null ? undefined : fromSnapshot(JSON.parse(snapshot.text));
        // One that is ahead of its stream belongs to a log that was restored since.
        if (snapshot !== null && state !== undefined && snapshot.version <= version)
          return { state, version: snapshot.version, snapshot: snapshot.version };
      } catch (error) {
        this.ports.logger.warn(
          { process: stream, error: String(error) },
          'its snapshot cannot be read; folded from the start',
        );
      }
    }
    return { state: initialState(stream), version: 0 };
  }
}

type Written = EventToFold | RecordedEvent;

function foldAll(folded: Folded, events: readonly Written[], folds?: ProcessEvent[]): void {
  for (const event of events) {
    if (event.sequence !== folded.version + 1)
      throw new EventNotUnderstood(`expected sequence ${folded.version + 1}, got ${event.sequence}`);
    // As another release may have written it: what its type says of its data is not yet known to hold.
    const read = upcast(event);
    if ('refused' in read) throw new EventNotUnderstood(`${event.type} at ${event.sequence}: ${read.refused.reason}`);
    folded.state = folding(event, read.event, folded.state);
    folded.version = event.sequence;
    folds?.push(read.event);
  }
}

/** What one event breaks is a matter of its process alone: the others of a batch are driven on. */
function folding({ type, sequence, recordedAt, metadata }: Written, event: ProcessEvent, state: ProcessState) {
  try {
    if (recordedAt === undefined) return evolve(state, event);
    return evolve(state, { ...event, recordedAt, ...(metadata === undefined ? {} : { metadata }) });
  } catch (error) {
    throw new EventNotUnderstood(`${type} at ${sequence} cannot be folded: ${String(error)}`, { cause: error });
  }
}
