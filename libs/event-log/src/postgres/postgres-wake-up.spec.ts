import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { PostgresWakeUp } from './postgres-wake-up.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

/** Resolves with the next hint of that topic and detail. */
function hint(wakeUp: PostgresWakeUp, topic: string, detail: string): Promise<void> {
  return new Promise((resolve) => {
    const off = wakeUp.listen((t, d) => {
      if (t !== topic || d !== detail) return;
      off();
      resolve();
    });
  });
}

it('carries hints between services, many in one statement', async () => {
  const [a, b] = [new PostgresWakeUp(db.url, { enabled: true }), new PostgresWakeUp(db.url, { enabled: true })];
  await Promise.all([a.start(), b.start()]);
  const all = Array.from({ length: 50 }, (_, n) => hint(b, 'owned', `p${n}`));
  for (let n = 0; n < 50; n += 1) a.notify('owned', `p${n}`);
  await Promise.all(all);
  await Promise.all([a.stop(), b.stop()]);
});

it('listens again after its sessions were killed, and tells everybody to look once', async () => {
  const wakeUp = new PostgresWakeUp(db.url, { enabled: true });
  await wakeUp.start();
  const again = hint(wakeUp, 'runnable', '');
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('baton listen', 'baton notify')
      and datname = current_database()`,
  );
  await again;
  await client.end();
  await wakeUp.stop();
});

it('does nothing when it is switched off', async () => {
  // The sessions of the specs above have ended for their clients; PostgreSQL may show them for a moment more.
  while ((await sessions()) > 0) await db.pool.query('select pg_sleep(0.01)');
  const wakeUp = new PostgresWakeUp(db.url, { enabled: false });
  await wakeUp.start();
  wakeUp.notify('runnable');
  expect(await sessions()).toBe(0);
  await wakeUp.stop();
});

async function sessions(): Promise<number> {
  const { rows } = await db.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where application_name in ('baton listen', 'baton notify')
      and datname = current_database()`,
  );
  return rows[0]!.n;
}
