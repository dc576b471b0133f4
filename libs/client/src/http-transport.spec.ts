import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { BatonClient, BatonProblem, ServerOutOfReach } from './index.js';

let server: Server | undefined;
const noPause = () => Promise.resolve();

async function serve(listener: RequestListener): Promise<string> {
  const created = createServer(listener);
  server = created;
  await new Promise<void>((resolve) => created.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(created.address() as AddressInfo).port}`;
}
afterEach(async () => {
  const ending = server;
  server = undefined;
  ending?.closeAllConnections();
  await new Promise<void>((resolve) => (ending ? ending.close(() => resolve()) : resolve()));
});

test('a creation whose connection breaks is sent again with the same key', async () => {
  const keys: (string | string[] | undefined)[] = [];
  const url = await serve((request, response) => {
    keys.push(request.headers['idempotency-key']);
    if (keys.length === 1) request.socket.destroy();
    else response.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"c1-1","status":"requested"}');
  });
  const client = new BatonClient({ url, pause: noPause });
  await expect(client.request({ definition: 'a' })).resolves.toEqual({ id: 'c1-1', status: 'requested' });
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0]);
});

test('an answer to a task whose connection breaks is not sent again, and the error says that it may have happened', async () => {
  let calls = 0;
  const url = await serve((request) => {
    calls++;
    request.socket.destroy();
  });
  const failure = await new BatonClient({ url, pause: noPause }).answerTask('t', {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ServerOutOfReach);
  expect((failure as ServerOutOfReach).mayHaveHappened).toBe(true);
  expect(calls).toBe(1);
});

test('503 is waited for, as long as Retry-After says', async () => {
  const pauses: number[] = [];
  let calls = 0;
  const url = await serve((_, response) => {
    calls++;
    if (calls < 3)
      response.writeHead(503, { 'retry-after': '2', 'content-type': 'application/problem+json' }).end('{}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}');
  });
  const pause = (ms: number) => {
    pauses.push(ms);
    return Promise.resolve();
  };
  await new BatonClient({ url, pause }).executors();
  expect(pauses).toEqual([2000, 2000]);
});

test('patience ends: a server that stays away is reported, with nothing in doubt when nothing was sent', async () => {
  const url = await serve(() => undefined);
  server?.close();
  server = undefined;
  let now = 0;
  const pause = (ms: number) => {
    now += ms;
    return Promise.resolve();
  };
  const client = new BatonClient({ url, pause, now: () => now, patienceMs: 5000 });
  const failure = await client.retry('p').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ServerOutOfReach);
  expect((failure as ServerOutOfReach).mayHaveHappened).toBe(false);
  expect(now).toBeGreaterThan(3000);
});

test('a refusal is a problem with its remedy', async () => {
  const body = {
    code: 'unknown-definition',
    detail: 'there is no definition default/a',
    remedy: 'publish it',
    status: 422,
  };
  const url = await serve((_, response) => {
    response.writeHead(422, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
  });
  const failure = await new BatonClient({ url }).request({ definition: 'a' }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BatonProblem);
  expect((failure as BatonProblem).problem).toMatchObject(body);
  expect((failure as Error).message).toContain('publish it');
});

test('a stream goes on over a broken connection without a gap or a repetition', async () => {
  const asked: (string | string[] | undefined)[] = [];
  const url = await serve((request, response) => {
    asked.push(request.headers['last-event-id']);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (sequence: number) => response.write(`id: ${sequence}\ndata: ${JSON.stringify({ sequence })}\n\n`);
    if (asked.length === 1) {
      send(1);
      response.write('id: 2\nda', () => request.socket.destroy());
    } else {
      send(1);
      send(2);
      send(3);
      response.end('event: end\ndata: {}\n\n');
    }
  });
  const seen: number[] = [];
  for await (const event of new BatonClient({ url, pause: noPause }).stream('p')) seen.push(event.sequence);
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual(['0', '1']);
});
