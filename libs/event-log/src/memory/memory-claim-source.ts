import type { ClaimSource, Head } from '../event-log.port.js';
import type { MemoryExecutorRegistry } from './memory-executor-registry.js';
import type { MemoryState } from './memory-state.js';

export class MemoryClaimSource implements ClaimSource {
  constructor(
    private readonly state: MemoryState,
    private readonly executors: MemoryExecutorRegistry,
  ) {}

  #heads(): Head[] {
    return [...this.state.streams.values()].map((stream) => stream.head);
  }

  async lookForRunnable(
    limit: number,
    { me, except = [], othersMs = Number.POSITIVE_INFINITY }: Parameters<ClaimSource['lookForRunnable']>[1],
  ): ReturnType<ClaimSource['lookForRunnable']> {
    await this.state.before('claims');
    const now = this.state.now();
    const shares = this.executors.withRoom(me);
    return this.#heads()
      .filter((head) => head.owner === null && head.runnableAt !== null && Date.parse(head.runnableAt) <= now)
      .filter((head) => !except.includes(head.stream))
      .map((head) => ({ ...head, mine: shares[hashOf(head.stream) % shares.length] === me }))
      .filter((head) => head.mine || Date.parse(head.runnableAt!) <= now - othersMs)
      .sort((a, b) => b.priority - a.priority || Date.parse(a.runnableAt!) - Date.parse(b.runnableAt!))
      .slice(0, limit)
      .map(({ stream, version, claims, priority, mine }) => ({ stream, version, claims, priority, mine }));
  }

  async ownedBy(executor: string): ReturnType<ClaimSource['ownedBy']> {
    await this.state.before('claims');
    return this.#heads()
      .filter((head) => head.owner === executor)
      .map(({ stream, version }) => ({ stream, version }));
  }

  async lookForOrphans(limit: number, except: readonly string[] = []): ReturnType<ClaimSource['lookForOrphans']> {
    await this.state.before('claims');
    return this.#heads()
      .filter((head) => head.owner !== null && this.executors.isOver(head.owner) && !except.includes(head.stream))
      .map((head) => ({ head, order: this.state.random() }))
      .sort((a, b) => a.order - b.order)
      .slice(0, limit)
      .map(({ head }) => ({ stream: head.stream, version: head.version, owner: head.owner!, claims: head.claims }));
  }

  async nextDueAt(): Promise<string | null> {
    await this.state.before('claims');
    const now = this.state.now();
    let first: string | null = null;
    for (const head of this.#heads()) {
      if (head.owner !== null || head.runnableAt === null || Date.parse(head.runnableAt) <= now) continue;
      if (first === null || Date.parse(head.runnableAt) < Date.parse(first)) first = head.runnableAt;
    }
    return first;
  }
}

function hashOf(stream: string): number {
  let hash = 0;
  for (let at = 0; at < stream.length; at++) hash = (hash * 31 + stream.charCodeAt(at)) % 2_147_483_647;
  return hash;
}
