import { wait } from './clock/clock.port.js';
import { Executor } from './executor.js';
import type { ExecutorPorts, ExecutorSettings } from './executor.ports.js';

/**
 * The executor of this program: an incarnation after the other. One that is marked lost is fenced, and another joins under a new id.
 * H1. At most one incarnation acts; the current one is never one that is lost.
 * H2. One that joins while the program ends gives everything back and leaves.
 */
export class IncarnationHost {
  private executor: Executor | null = null;
  private closing = false;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly description: { host: string; pid: number; version: string; http?: string },
    private readonly onIncarnation: (id: string) => void,
  ) {}

  async start(): Promise<void> {
    for (let pause = 200; !this.closing; pause = Math.min(pause * 2, 5000)) {
      const executor = new Executor(this.ports.newId(), this.ports, this.settings, this.description, () =>
        this.renew(executor),
      );
      try {
        await executor.start();
        // Lost before it had joined: renew() was called meanwhile, and another one is on its way.
        if (executor.lease.isLost()) return;
        if (this.closing) {
          await executor.drain();
          return;
        }
        this.executor = executor;
        this.onIncarnation(executor.id);
        this.ports.logger.info({ executor: executor.id }, 'joined');
        return;
      } catch (error) {
        executor.stop();
        this.ports.logger.warn({ error: String(error) }, 'could not join; tried again');
        await wait(this.ports.clock, pause);
      }
    }
  }

  current(): Executor | null {
    return this.executor;
  }

  hint(topic: string, detail: string, way: 'bus' | 'notify' = 'notify'): void {
    this.executor?.hint(topic, detail, way);
  }

  noteDue(dueAt: string): void {
    this.executor?.noteDue(dueAt);
  }

  /** SIGTERM */
  async close(): Promise<void> {
    this.closing = true;
    await this.executor?.drain();
  }

  private renew(lost: Executor): void {
    if (this.executor !== null && this.executor !== lost) return;
    this.executor = null;
    if (this.closing) return;
    this.start().catch((error: unknown) => {
      this.ports.logger.error({ error: String(error) }, 'no new incarnation could join');
    });
  }
}
