import { expect, test } from 'vitest';
import { waitForDatabase } from './wait.for.database.js';

const log = { warn: () => undefined };
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

test('a start waits for a database that is away, ever longer up to five seconds', async () => {
  const pauses: number[] = [];
  let tries = 0;
  const result = await waitForDatabase(
    async () => {
      if (++tries < 8) throw new AggregateError([refused], 'all addresses', { cause: refused });
      return 'there';
    },
    log,
    async (ms) => void pauses.push(ms),
  );
  expect(result).toBe('there');
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test('any other fault ends the start at once', async () => {
  const wrong = Object.assign(new Error('password authentication failed'), { code: '28P01' });
  await expect(waitForDatabase(() => Promise.reject(wrong), log)).rejects.toBe(wrong);
});
