import type { HorizonHolder, Tail, TailPosition } from '../event-log.port.js';
import type { MemoryState } from './memory-state.js';

/** In memory every event is settled at once; the order is that of the appends. */
export class MemoryTail implements Tail {
  constructor(private readonly state: MemoryState) {}
  async read(after: TailPosition | null, limit: number, types?: readonly string[]): ReturnType<Tail['read']> {
    await this.state.before('tail');
    const from = after ? this.state.all.findIndex(({ position }) => same(position, after)) + 1 : 0;
    const all = this.state.all.slice(from);
    const found = all.filter(({ event }) => !types || types.includes(event.type)).slice(0, limit);
    return {
      events: structuredClone(found.map(({ event }) => event)),
      position: (types && found.length < limit ? all : found).at(-1)?.position ?? after,
      horizonAgeMs: 0,
    };
  }
  async checkpoint(subscriber: string): Promise<TailPosition | null> {
    await this.state.before('tail');
    return this.state.checkpoints.get(subscriber) ?? null;
  }
  async moveCheckpoint(subscriber: string, from: TailPosition | null, to: TailPosition): Promise<boolean> {
    await this.state.before('tail');
    const present = this.state.checkpoints.get(subscriber) ?? null;
    if (from === null ? present !== null : present === null || !same(present, from)) return false;
    this.state.checkpoints.set(subscriber, { ...to });
    return true;
  }
  async horizon(): Promise<HorizonHolder[]> {
    return [];
  }
  async end(): Promise<TailPosition | null> {
    return this.state.all.at(-1)?.position ?? null;
  }
}
function same(a: TailPosition, b: TailPosition): boolean {
  return (
    a.logIncarnation === b.logIncarnation &&
    a.transactionId === b.transactionId &&
    a.stream === b.stream &&
    a.sequence === b.sequence
  );
}
