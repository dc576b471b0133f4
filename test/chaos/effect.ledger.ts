import { createServer, type Server } from 'node:http';
import type { LedgerEntry } from '@baton/process';
import { z } from 'zod';

const entrySchema = z.object({
  process: z.string(),
  path: z.string(),
  attempt: z.int(),
  key: z.string(),
  pid: z.int(),
  takes: z.coerce.number(),
  begunAt: z.number(),
});
/** `at`: when it began, in the step after begin(). `arrivedAt`: when its first byte was heard here, perhaps after its executor died. */
export type Effect = LedgerEntry & { pid: number; arrivedAt: number };

/** What the world saw of effects: it lives outside the tested processes, and answers when the effect is over. */
export class EffectLedger {
  readonly entries: Effect[] = [];
  /** Effects that run now, by the process id of their executor. */
  readonly running = new Map<number, number>();
  private readonly server: Server;
  private readonly waiting = new Set<() => void>();

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://ledger');
        if (url.pathname === '/happened') {
          const { process, path } = Object.fromEntries(url.searchParams);
          const happened = this.entries.some((entry) => entry.process === process && entry.path === path);
          response.end(JSON.stringify({ happened }));
          return;
        }
        const { takes, begunAt, ...entry } = entrySchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
        this.entries.push({ ...entry, at: begunAt, arrivedAt: Date.now() });
        this.count(entry.pid, 1);
        setTimeout(() => {
          this.count(entry.pid, -1);
          response.end('{}');
        }, takes);
      });
    });
  }

  static async start(): Promise<EffectLedger> {
    const ledger = new EffectLedger();
    await new Promise<void>((resolve) => ledger.server.listen(0, '127.0.0.1', resolve));
    return ledger;
  }

  url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the ledger does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  of(process: string): Effect[] {
    return this.entries.filter((entry) => entry.process === process);
  }

  /** Resolves as soon as an effect of that executor runs. */
  async untilRunning(pid: number, isOver: () => boolean): Promise<boolean> {
    while (!isOver()) {
      if ((this.running.get(pid) ?? 0) > 0) return true;
      await new Promise<void>((resolve) => {
        this.waiting.add(resolve);
      });
    }
    return false;
  }

  /** Those who wait look again. */
  wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private count(pid: number, by: number): void {
    this.running.set(pid, (this.running.get(pid) ?? 0) + by);
    this.wake();
  }
}
