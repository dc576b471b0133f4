import type { EventLog, SnapshotStore } from '@baton/event-log';
import { evolve, fromSnapshot, initialState, type ProcessState, type RecordedEvent, stateShape } from '@baton/process';
import type { Logger } from '../executor.ports.js';

/** A process as it is folded: its state at a version. */
export interface Folded {
  state: ProcessState;
  version: number;
}

const page = 1000;

/** Folds streams from the log, from a snapshot where one can be read (design 2: disposable, never fatal). */
export class StreamLoader {
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
    await this.catchUp(stream, folded);
    return folded;
  }

  /** Many short streams in one round trip; long ones each by themselves. */
  async loadMany(looked: readonly { stream: string; version: number }[]): Promise<Map<string, Folded>> {
    const short = looked.filter((one) => one.version < this.settings.snapshotEvery);
    const result = new Map<string, Folded>();
    if (short.length > 0) {
      const whole = await this.readWhole(short.map(({ stream }) => stream));
      for (const [stream, { folded }] of whole) result.set(stream, folded);
    }
    for (const one of looked)
      if (one.version >= this.settings.snapshotEvery) result.set(one.stream, await this.load(one.stream, one.version));
    return result;
  }

  /** Streams with all their events: a takeover looks at what happened before. */
  async readWhole(streams: readonly string[]): Promise<Map<string, { folded: Folded; events: RecordedEvent[] }>> {
    const events = await this.ports.log.readMany(streams.map((stream) => ({ stream, after: 0 })));
    return new Map(
      streams.map((stream) => {
        const own = events.get(stream) ?? [];
        return [stream, { folded: foldAll({ state: initialState(stream), version: 0 }, own), events: own }];
      }),
    );
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

  private async start(stream: string, version: number): Promise<Folded> {
    if (version >= this.settings.snapshotEvery) {
      try {
        const snapshot = await this.ports.snapshots.load(stream, stateShape);
        const state = snapshot === null ? undefined : fromSnapshot(snapshot.state);
        if (snapshot !== null && state !== undefined) return { state, version: snapshot.version };
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
      throw new Error(`stream ${event.stream}: expected sequence ${folded.version + 1}, got ${event.sequence}`);
    folded.state = evolve(folded.state, event);
    folded.version = event.sequence;
  }
  return folded;
}
