import { appendFileSync, closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerEntry } from '@baton/process';
import { z } from 'zod';

const lineSchema = z.object({
  process: z.string(),
  path: z.string(),
  attempt: z.int(),
  key: z.string(),
  at: z.number(),
  url: z.string(),
  authorization: z.string(),
  traceparent: z.string().default(''),
});
export type EffectLine = z.infer<typeof lineSchema>;

/**
 * The world that processes act upon by `http`, outside of everything that a test kills. An effect is written and synced
 * before it is answered; at `/gate/NAME…` the answer is held back until the test opens that gate. A GET is no effect.
 */
export class EffectTarget {
  private readonly directory = mkdtempSync(join(tmpdir(), 'baton-e2e-target-'));
  private readonly path = join(this.directory, 'effects.jsonl');
  private readonly file = openSync(this.path, 'a+');
  private readonly server: Server;
  private readonly held = new Map<string, Set<ServerResponse>>();
  private readonly opened = new Set<string>();
  private readonly waiting = new Set<() => void>();

  private constructor() {
    this.server = createServer((request, response) => {
      const at = Date.now(); // the request line is here: the effect has begun
      request.resume().on('end', () => {
        const url = request.url ?? '/';
        const key = String(request.headers['idempotency-key'] ?? '');
        const [, process = '', path = ''] = /^([^:]+):(.+)#\d+\.\d+$/.exec(key) ?? [];
        const attempt = Number(request.headers['baton-attempt']);
        const authorization = request.headers.authorization ?? '';
        const traceparent = String(request.headers['traceparent'] ?? '');
        if (request.method !== 'GET') this.write({ process, path, attempt, key, at, url, authorization, traceparent });
        const gate = /^\/gate\/([^/?]+)/.exec(url)?.[1];
        if (gate === undefined || this.opened.has(gate)) answer(response);
        else this.hold(gate, response);
      });
    });
  }

  static async start(): Promise<EffectTarget> {
    const target = new EffectTarget();
    await new Promise<void>((resolve) => target.server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the target does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  entries(): EffectLine[] {
    const lines = readFileSync(this.path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => lineSchema.parse(JSON.parse(line)));
  }

  of(process: string): LedgerEntry[] {
    return this.entries().filter((entry) => entry.process === process);
  }

  /** Settles when this many requests wait at the gate. */
  async untilAt(gate: string, count: number): Promise<void> {
    while ((this.held.get(gate)?.size ?? 0) < count)
      await new Promise<void>((resolve) => {
        this.waiting.add(resolve);
      });
  }

  open(gate: string): void {
    this.opened.add(gate);
    for (const response of this.held.get(gate) ?? []) answer(response);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    closeSync(this.file);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private hold(gate: string, response: ServerResponse): void {
    const held = this.held.get(gate) ?? new Set();
    this.held.set(gate, held.add(response));
    response.once('close', () => held.delete(response));
    for (const look of this.waiting) look();
    this.waiting.clear();
  }

  private write(line: EffectLine): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.file);
  }
}

function answer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ done: true }));
}
