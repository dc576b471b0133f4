import type { ChildStore, EndedChild } from '../child.port.js';
import type { Delivery, MessageStore } from '../message.port.js';
import type { CreateResult, NewProcess, RequestStore } from '../requests.port.js';
import type { MemoryEventLog } from './memory-event-log.js';
import type { MemoryState } from './memory-state.js';

const weekMs = 7 * 24 * 3_600_000;
const ends = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

export class MemoryRequestStore implements RequestStore {
  readonly #keys = new Map<string, { digest: string; answer: NewProcess['answer']; at: number }>();
  constructor(
    private readonly state: MemoryState,
    private readonly log: MemoryEventLog,
  ) {}
  async createOnce(request: NewProcess): Promise<CreateResult> {
    const id = request.key ? JSON.stringify([request.key.principal, request.key.key]) : null;
    const known = id === null ? undefined : this.#keys.get(id);
    if (known && known.at > this.state.now() - weekMs)
      return known.digest === request.key!.bodyDigest
        ? { status: 'repeated', answer: known.answer }
        : { status: 'key-reused' };
    // The key is taken in the same step as the append begins, as one transaction does.
    if (id !== null)
      this.#keys.set(id, { digest: request.key!.bodyDigest, answer: request.answer, at: this.state.now() });
    const [outcome] = await this.log.appendEach([{ stream: request.stream, expected: 'none', events: request.events }]);
    if (outcome!.status === 'appended') return { status: 'created', answer: request.answer };
    if (id !== null) this.#keys.delete(id);
    if (outcome!.status === 'in-doubt') throw outcome!.error;
    if (outcome!.status === 'bad') return { status: 'bad', code: outcome!.error.code, message: outcome!.error.message };
    return { status: 'bad', code: 'exists', message: `The process ${request.stream} exists already.` };
  }
  async createMany(requests: readonly NewProcess[]): Promise<CreateResult[]> {
    const results: CreateResult[] = [];
    for (const request of requests) results.push(await this.createOnce(request));
    return results;
  }
  /** Time goes by for one key. */
  age(principal: string, key: string, ms: number): void {
    const known = this.#keys.get(JSON.stringify([principal, key]));
    if (known) known.at -= ms;
  }
  async removeExpiredKeys(): Promise<number> {
    const old = [...this.#keys].filter(([, key]) => key.at <= this.state.now() - weekMs);
    for (const [id] of old) this.#keys.delete(id);
    return old.length;
  }
}

export class MemoryChildStore implements ChildStore {
  constructor(private readonly state: MemoryState) {}
  async untold(limit: number): Promise<EndedChild[]> {
    return [...this.state.streams]
      .flatMap(([child, stream]) => {
        const last = stream.events.at(-1);
        if (!stream.child || stream.child.told || !last || !ends.has(last.type)) return [];
        const { parent, path, attempt } = stream.child;
        return [{ child, parent, path, attempt, type: last.type as EndedChild['type'], data: last.data }];
      })
      .slice(0, limit);
  }
  async markTold(child: string): Promise<void> {
    const row = this.state.streams.get(child)?.child;
    if (row) row.told = true;
  }
  async childrenOf(parent: string): ReturnType<ChildStore['childrenOf']> {
    return [...this.state.streams].flatMap(([child, { child: row }]) =>
      row?.parent === parent ? [{ child, path: row.path, attempt: row.attempt, told: row.told }] : [],
    );
  }
}

interface KeptMessage extends Omit<Delivery, 'stream' | 'path'> {
  keepUntil: number;
  claimed: { stream: string; path: string } | null;
  delivered: boolean;
}

export class MemoryMessageStore implements MessageStore {
  readonly #messages = new Map<string, KeptMessage>();
  constructor(private readonly state: MemoryState) {}
  #id(message: { id: string; name: string; key: string }): string {
    return JSON.stringify([message.name, message.key, message.id]);
  }
  async post({ keepMs, ...message }: Parameters<MessageStore['post']>[0]): Promise<{ isNew: boolean }> {
    const id = this.#id(message);
    if (this.#messages.has(id)) return { isNew: false };
    this.#messages.set(id, { ...message, keepUntil: this.state.now() + keepMs, claimed: null, delivered: false });
    return { isNew: true };
  }
  async match(limit: number): Promise<Delivery[]> {
    const open = [...this.#messages.values()].filter((message) => !message.delivered);
    const taken = new Set(open.flatMap(({ claimed }) => (claimed ? [`${claimed.stream} ${claimed.path}`] : [])));
    for (const message of open) {
      if (message.claimed || message.keepUntil <= this.state.now()) continue;
      const receiver = this.#receivers(message.name, message.key).find((r) => !taken.has(`${r.stream} ${r.path}`));
      if (!receiver) continue;
      message.claimed = receiver;
      taken.add(`${receiver.stream} ${receiver.path}`);
    }
    return open
      .flatMap(({ id, name, key, payload, claimed }) => (claimed ? [{ id, name, key, payload, ...claimed }] : []))
      .slice(0, limit);
  }
  #receivers(name: string, key: string): { stream: string; path: string }[] {
    return [...this.state.streams]
      .flatMap(([stream, { rows }]) =>
        [...rows.receiver.values()]
          .filter((row) => row['name'] === name && row['key'] === key && row['topic'] === null)
          .map((row) => ({ stream, path: row.id, openedAt: String(row['openedAt']) })),
      )
      .sort((a, b) => Date.parse(a.openedAt) - Date.parse(b.openedAt))
      .map(({ stream, path }) => ({ stream, path }));
  }
  async delivered(delivery: Delivery): Promise<void> {
    const message = this.#messages.get(this.#id(delivery));
    if (message) message.delivered = true;
  }
  async giveBack(delivery: Delivery): Promise<void> {
    const message = this.#messages.get(this.#id(delivery));
    if (message?.claimed?.stream === delivery.stream && message.claimed.path === delivery.path) message.claimed = null;
  }
  async removeExpired(limit: number): Promise<number> {
    const over = [...this.#messages]
      .filter(([, m]) => m.delivered || (m.keepUntil <= this.state.now() && !m.claimed))
      .slice(0, limit);
    for (const [id] of over) this.#messages.delete(id);
    return over.length;
  }
}
