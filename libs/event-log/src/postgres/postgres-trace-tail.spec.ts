import { randomBytes } from 'node:crypto';
import { untilSettled } from '@baton/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { operatorCompleted, operatorStarted, requested, scheduled, startedBy } from '../contract/sample-events.js';
import type { TailPosition } from '../event-log.port.js';
import { newProcessId } from '../process-id.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresTail } from './postgres-tail.js';
import { PostgresTraceTail } from './postgres-trace-tail.js';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const streams = Array.from({ length: 5 }, () => newProcessId('c1'));

/** So that the server does not press it into a few bytes. */
const long = randomBytes(1_000).toString('hex');

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
  const log = new PostgresEventLog(db.pool, 'c1');
  const rounds = [
    [{ ...requested({ inputs: { text: long } }), metadata: { traceparent, tracestate: 'v=1' } }],
    [{ ...scheduled(), metadata: { traceparent: 'of the command' } }],
    [startedBy('e'), operatorStarted('a', 'e')],
    [operatorCompleted('a', long), operatorStarted('b', 'e')],
  ];
  let version = 0;
  for (const events of rounds) {
    await log.append(streams.map((stream) => ({ stream, expected: version === 0 ? 'none' : version, events })));
    version += events.length;
  }
  await untilSettled(db.pool);
});
afterAll(() => db.close());

it('gives the events and the positions of the tail, with times as numbers, page by page', async () => {
  const whole = await new PostgresTail(db.pool, 'c1').read(null, 1_000);
  const tail = new PostgresTraceTail(db.pool, 'c1');
  const found: [string, number, string, number][] = [];
  let position: TailPosition | null = null;
  for (;;) {
    const page = await tail.read(position, 7);
    if (page.events.length === 0) {
      expect(page.position).toEqual(position);
      break;
    }
    found.push(...page.events.map((e): (typeof found)[0] => [e.stream, e.sequence, e.type, e.recordedAt]));
    position = page.position;
    const place = whole.events[found.length - 1];
    expect(page.position).toMatchObject({ stream: place?.stream, sequence: place?.sequence });
  }
  expect(found).toEqual(whole.events.map((e) => [e.stream, e.sequence, e.type, Date.parse(e.recordedAt)]));
  expect(position).toEqual(whole.position);
});

it('leaves out what is long and was written by people or targets, and what later commands brought along', async () => {
  const { events } = await new PostgresTraceTail(db.pool, 'c1').read(null, 1_000);
  const of = events.filter(({ stream }) => stream === streams[0]);
  expect(of.map(({ metadata }) => metadata)).toEqual([{ traceparent, tracestate: 'v=1' }, {}, {}, {}, {}, {}]);
  expect(of[0]?.data).toMatchObject({ definition: { name: 'default/sample', version: 1 } });
  expect(of[0]?.data).not.toHaveProperty('inputs');
  expect(of[4]?.data).toEqual({ path: 'a', attempt: 1 });
  expect(of[5]?.data).toMatchObject({ path: 'b', type: 'http', attempt: 1, executor: 'e' });
});
