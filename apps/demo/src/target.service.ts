import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The world that the demo's releases act upon: a small deployment service in a process of its own, so that nothing
 * that happens to Baton can make it forget. Every effect is written to a file and synced before it is answered.
 * The `Idempotency-Key` that Baton sends tells the operator (process:path#iteration.round), `Baton-Attempt` the attempt.
 */
export interface EffectLine {
  at: number;
  method: string;
  url: string;
  key: string;
  attempt: number;
  body: unknown;
}

const slowMs = { deploy: 250, rollback: 60, announce: 80, report: 20, health: 30 } as const;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}

/** Runs until its parent goes; tells the parent its port. */
export function runTarget(ledgerFile: string): void {
  const file = openSync(ledgerFile, 'a');
  const header = (request: IncomingMessage, name: string) => String(request.headers[name] ?? '');
  const server = createServer((request, response) => {
    const at = Date.now(); // the request line is here: the effect has begun
    const url = new URL(request.url ?? '/', 'http://target');
    const action = (url.pathname.split('/')[1] ?? '') as keyof typeof slowMs;
    bodyOf(request)
      .then((body) => {
        const line: EffectLine = {
          at,
          method: request.method ?? '',
          url: url.pathname,
          key: header(request, 'idempotency-key'),
          attempt: Number(header(request, 'baton-attempt')),
          body,
        };
        appendFileSync(file, `${JSON.stringify(line)}\n`);
        fsyncSync(file);
        const broken = action === 'health' && url.searchParams.get('broken') === 'true';
        setTimeout(() => {
          response.writeHead(broken ? 503 : 200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ done: !broken, action }));
        }, slowMs[action] ?? 10);
      })
      .catch((error: unknown) => {
        response.writeHead(400).end(String(error));
      });
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ ready: true, port: (server.address() as AddressInfo).port }));
  process.on('disconnect', () => {
    closeSync(file);
    process.exit(0);
  });
  process.on('SIGINT', () => undefined); // Ctrl-C goes to the whole group; the parent ends us when it is done
}
