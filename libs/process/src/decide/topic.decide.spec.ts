import { describe, expect, it } from 'vitest';
import { headChangeOf } from '../head/head-change.js';
import type { Json } from '../json.types.js';
import { recordFits } from '../schema/record-match.js';
import { why } from '../state/why.js';
import { Given, start } from './given.spec-helper.js';

const waiting = `inputs: { customer: {}, order: {}, secretNumber: { default: 4 } }
operators:
  r:
    type: receive
    topic: payments
    key: "\${{ inputs.customer }}"
    match: record.value.order == inputs.order && record.headers.kind != 'test'
    schema: { type: object, required: [amount] }
    keep: 1h
`;
const record = (value: Json, headers: Record<string, string> = { kind: 'real' }) => ({
  key: 'c7',
  value,
  headers,
  topic: 'payments',
  partition: 0,
  offset: 3,
  timestamp: '2026-11-23T10:00:00.000Z',
});

function receiverOf(given: Given) {
  const started = given.log.find((event) => event.type === 'OperatorStarted');
  const row = started && headChangeOf(started).rows[0];
  if (row?.table !== 'receiver' || row.op !== 'insert') throw new Error('There is no receiver.');
  return row;
}

describe('receive of a topic', () => {
  it('waits with what a record must fulfil, as the process was when it began', () => {
    const given = Given.of(waiting, { customer: 'c7', order: 'o-1', secretNumber: 4 });
    given.decide();
    const row = receiverOf(given);
    expect(row).toMatchObject({ topic: 'payments', key: 'c7', keepMs: 3_600_000 });
    expect(row.conditions).toEqual({
      match: {
        expression: "record.value.order == inputs.order && record.headers.kind != 'test'",
        scope: { inputs: { order: 'o-1' } },
      },
      schema: { type: 'object', required: ['amount'] },
    });
    expect(why(given.state, start).because.join(' ')).toMatch(
      /record of the topic payments with the key c7 for which record\.value\.order == inputs\.order/,
    );
  });

  it('tells the records that fit from the others; what cannot be evaluated does not match', () => {
    const given = Given.of(waiting, { customer: 'c7', order: 'o-1' });
    given.decide();
    const { conditions } = receiverOf(given);
    expect(recordFits(conditions, record({ order: 'o-1', amount: 3 }))).toBe(true);
    expect(recordFits(conditions, record({ order: 'o-2', amount: 3 }))).toBe(false);
    expect(recordFits(conditions, record({ order: 'o-1' }))).toBe(false);
    expect(recordFits(conditions, record({ order: 'o-1', amount: 3 }, { kind: 'test' }))).toBe(false);
    expect(recordFits(conditions, record({ order: 'o-1', amount: 3 }, {}))).toBe(false);
    expect(recordFits(conditions, record('just text'))).toBe(false);
    expect(recordFits(null, record(null))).toBe(true);
  });

  it('completes with the value of the record that it was sent, once', () => {
    const given = Given.of(waiting, { customer: 'c7', order: 'o-1' });
    given.decide();
    const command = {
      kind: 'receiveMessage',
      messageId: 'payments/0/3@1',
      name: 'payments',
      key: 'c7',
      path: 'r',
      payload: { order: 'o-1', amount: 3 },
      record: { partition: 0, offset: 3, timestamp: '2026-11-23T10:00:00.000Z', headers: {} },
    } as const;
    given.command(command);
    given.decide();
    expect(given.state.operators.get('r')).toMatchObject({ status: 'completed', output: { order: 'o-1', amount: 3 } });
    expect(given.state.end).toBe('completed');
  });

  it('captures what a loop gives each of its items', () => {
    const given = Given.of(
      `inputs: { orders: {} }
operators:
  r: { type: receive, topic: t, forEach: { in: "\${{ inputs.orders }}", as: order }, match: record.value == order.id }
`,
      { orders: [{ id: 'a' }, { id: 'b' }] },
    );
    given.decide();
    const rows = given.log.flatMap((event) => headChangeOf(event).rows);
    const conditions = rows.flatMap((row) => (row.table === 'receiver' && row.op === 'insert' ? [row.conditions] : []));
    expect(conditions.map((one) => ['a', 'b', 'c'].filter((value) => recordFits(one, record(value))))).toEqual([
      ['a'],
      ['b'],
    ]);
  });

  it('fails when the match reads more of the process than can be kept', () => {
    const given = Given.of(
      'inputs: { big: {} }\noperators:\n  r: { type: receive, topic: t, match: record.value in inputs.big }\n',
      {
        big: ['x'.repeat(40_000)],
      },
    );
    given.decide();
    expect(given.state.operators.get('r')).toMatchObject({ status: 'failed', error: { code: 'expression' } });
  });
});
