import type { SnapshotStore, WakeUp } from '../event-log.port.js';
import { MemoryClaimSource } from './memory-claim-source.js';
import { MemoryEventLog } from './memory-event-log.js';
import { MemoryExecutorRegistry } from './memory-executor-registry.js';
import { type MemoryOptions, MemoryState } from './memory-state.js';
import { MemoryChildStore, MemoryMessageStore, MemoryRequestStore } from './memory-stores.js';
import { MemoryTail } from './memory-tail.js';

/** All ports of one cell over one memory: for simulation and for tests that need no SQL. */
export class MemoryCell {
  readonly state: MemoryState;
  readonly log: MemoryEventLog;
  readonly executors: MemoryExecutorRegistry;
  readonly claims: MemoryClaimSource;
  readonly tail: MemoryTail;
  readonly snapshots: MemorySnapshotStore;
  readonly wakeUp: MemoryWakeUp;
  readonly requests: MemoryRequestStore;
  readonly children: MemoryChildStore;
  readonly messages: MemoryMessageStore;
  constructor(options: MemoryOptions & { monotonicMs?(executor: string): number }) {
    this.state = new MemoryState(options);
    this.log = new MemoryEventLog(this.state);
    this.executors = new MemoryExecutorRegistry(this.state, options.monotonicMs);
    this.claims = new MemoryClaimSource(this.state, this.executors);
    this.tail = new MemoryTail(this.state);
    this.snapshots = new MemorySnapshotStore();
    this.wakeUp = new MemoryWakeUp();
    this.requests = new MemoryRequestStore(this.state, this.log);
    this.children = new MemoryChildStore(this.state);
    this.messages = new MemoryMessageStore(this.state);
  }
}

export class MemorySnapshotStore implements SnapshotStore {
  readonly #saved = new Map<string, { version: number; text: string }>();
  async load(stream: string, shape: number): Promise<{ version: number; text: string } | null> {
    return this.#saved.get(`${shape} ${stream}`) ?? null;
  }
  async save(stream: string, shape: number, version: number, text: string): Promise<void> {
    const key = `${shape} ${stream}`;
    if ((this.#saved.get(key)?.version ?? 0) < version) this.#saved.set(key, { version, text });
  }
  async clear(): Promise<void> {
    this.#saved.clear();
  }
}

/** Delivers at once, or not at all (`cut`): correctness never rests on hints. */
export class MemoryWakeUp implements WakeUp {
  cut = false;
  readonly #listeners = new Set<(topic: string, detail: string) => void>();
  notify(topic: Parameters<WakeUp['notify']>[0], detail = ''): void {
    if (this.cut) return;
    for (const listener of this.#listeners) listener(topic, detail);
  }
  listen(listener: (topic: string, detail: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
