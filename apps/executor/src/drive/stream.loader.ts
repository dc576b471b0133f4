import type { EventLog, SnapshotStore } from '@baton/event-log';
import {
  evolve,
  fromSnapshot,
  initialState,
  type ProcessState,
  type RecordedEvent,
  stateShape,
  upcast,
  type WrittenEvent,
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

const page = 1000;

/** Folds streams from the log, from a snapshot where one can be read (design 2: disposable, never fatal). */
export class StreamLoader {
  private readonly refused = new Set<string>();

  constructor(
    private readonly ports: {
      log: Pick<EventLog, 'read' | 'readMany'>;
      snapshots: Pick<SnapshotStore, 'load'>;
      logger: Logger;
    },
    private readonly settings: { snapshotEvery: number },
  ) {}

  /** `version` is what the head said; only streams that long can have a snapshot. */
  async load(stream: string, version: number): Promise<Folded> {
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
      const whole = await this.readWhole(short.map(({ stream }) => stream));
      for (const [stream, read] of whole) result.set(stream, read?.folded ?? null);
    }
    for (const one of looked)
      if (one.version >= this.settings.snapshotEvery)
        result.set(one.stream, await this.understood(one.stream, () => this.load(one.stream, one.version)));
    return result;
  }

  /** Streams with all their events: a takeover looks at what happened before. Null: not understood by this release. */
  async readWhole(
    streams: readonly string[],
  ): Promise<Map<string, { folded: Folded; events: RecordedEvent[] } | null>> {
    const read = await this.ports.log.readMany(streams.map((stream) => ({ stream, after: 0 })));
    const result = new Map<string, { folded: Folded; events: RecordedEvent[] } | null>();
    for (const stream of streams) {
      const events = read.get(stream) ?? [];
      const fold = async () => ({ folded: foldAll({ state: initialState(stream), version: 0 }, events), events });
      result.set(stream, await this.understood(stream, fold));
    }
    return result;
  }

  /** Folds what came since. */
  async catchUp(stream: string, folded: Folded): Promise<RecordedEvent[]> {
    const news: RecordedEvent[] = [];
    for (;;) {
      const events = await this.ports.log.read(stream, folded.version, page);
      foldAll(folded, events);
      news.push(...events);
      if (events.length < page) return news;
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

function foldAll(folded: Folded, events: readonly RecordedEvent[]): Folded {
  for (const event of events) {
    if (event.sequence !== folded.version + 1)
      throw new EventNotUnderstood(`expected sequence ${folded.version + 1}, got ${event.sequence}`);
    const read = upcast(written(event));
    if ('refused' in read) throw new EventNotUnderstood(`${event.type} at ${event.sequence}: ${read.refused.reason}`);
    folded.state = folding(event, () => evolve(folded.state, { ...event, ...read.event }));
    folded.version = event.sequence;
  }
  return folded;
}

/** What one event breaks is a matter of its process alone: the others of a batch are driven on. */
function folding(event: RecordedEvent, fold: () => ProcessState): ProcessState {
  try {
    return fold();
  } catch (error) {
    throw new EventNotUnderstood(`${event.type} at ${event.sequence} cannot be folded: ${String(error)}`, {
      cause: error,
    });
  }
}

/** As another release may have written it: what its type says of its data is not yet known to hold. */
function written({ type, schemaVersion, data }: RecordedEvent): WrittenEvent {
  return { type, schemaVersion, data };
}
