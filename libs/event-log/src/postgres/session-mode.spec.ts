import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { waitForSchema } from '../migrate/migration-runner.js';
import { createLogPool } from './log-pool.js';
import { assertSessionMode, awaitSessionMode } from './session-mode.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

it('accepts a direct connection', async () => {
  await assertSessionMode(db.url);
});

it('refuses a pooler that gives a session to another client between statements', async () => {
  // Each client's messages go to the session of the client that connected before it, once all are ready.
  const target = new URL(db.url);
  const pairs: { client: Socket; session: Socket }[] = [];
  const server = createServer((client) => {
    const session = connect(Number(target.port), target.hostname);
    const own = pairs.push({ client, session }) - 1;
    let statements = 0;
    const swapped = (): boolean => pairs.length === 4 && statements > 1;
    client.on('data', (chunk) => {
      statements += 1;
      const to = swapped() ? pairs[(own + 1) % pairs.length]! : pairs[own]!;
      to.session.write(chunk);
    });
    session.on('data', (chunk) => pairs[own]!.client.write(chunk));
    for (const socket of [client, session]) socket.on('error', () => undefined);
    client.on('close', () => session.destroy());
    session.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(db.url);
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  await expect(assertSessionMode(url.href)).rejects.toThrow(/transaction mode/);
  pairs.length = 0;
  await expect(awaitSessionMode(url.href)).rejects.toThrow(/session mode/);
  for (const { client, session } of pairs) {
    client.destroy();
    session.destroy();
  }
  await new Promise((resolve) => server.close(resolve));
});

it('says at once that the database of its URL does not exist', async () => {
  const url = new URL(db.url);
  url.pathname = '/nowhere';
  await expect(awaitSessionMode(url.href)).rejects.toThrow(/does not exist/);
  const pool = createLogPool({ url: url.href, application: 'spec', max: 1 });
  await expect(waitForSchema(pool)).rejects.toThrow(/does not exist/);
  await pool.end();
});

it('waits for a database that is away when a service starts', async () => {
  const target = new URL(db.url);
  let refused = 0;
  const server = createServer((client) => {
    client.on('error', () => undefined);
    if (refused < 3) {
      refused += 1;
      client.destroy();
      return;
    }
    const session = connect(Number(target.port), target.hostname);
    session.on('error', () => undefined);
    client.pipe(session).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(db.url);
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  await awaitSessionMode(url.href, undefined, 1);
  expect(refused).toBe(3);
  await new Promise((resolve) => server.close(resolve));
});
