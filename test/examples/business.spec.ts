import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  answered,
  ExampleRun,
  exampleDefinition,
  exampleWarnings,
  refused,
  type Script,
  status,
  unknown,
} from './example-run.js';

const variables = {
  directory: 'https://d',
  stock: 'https://s',
  mail: 'https://m',
  reports: 'https://r',
  warehouse: 'https://w',
  payments: 'https://p',
  api: 'https://a',
};

it('every example compiles without a warning and tells what it does', () => {
  const folder = new URL('../../examples/', import.meta.url);
  // The others are no processes: programs that read what Baton publishes.
  const names = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/process.yaml`, folder)),
  );
  expect(names.length).toBeGreaterThanOrEqual(8);
  for (const { name } of names) {
    expect(exampleDefinition(name).name).toBe(`examples/${name}`);
    expect(exampleWarnings(name)).toEqual([]);
    expect(readFileSync(new URL(`${name}/README.md`, folder), 'utf8').length).toBeGreaterThan(200);
  }
});

describe('onboarding', () => {
  const yes = { ok: true };
  const no = { ok: false };
  const team = [
    { by: 'sue/security', answer: yes },
    { by: 'sam/security', answer: yes },
  ];
  const onboard = (more: Partial<Script> = {}) =>
    new ExampleRun('onboarding', {
      inputs: { name: 'Eve', mail: 'eve@example.org', manager: 'max' },
      environment: { name: 'office', variables },
      answers: { manager: [{ by: 'max', answer: yes }], security: team },
      ...more,
    });

  it('makes everything when all three agree', () => {
    const run = onboard();
    expect([run.end, run.outputs]).toEqual(['completed', { joined: true }]);
    expect(run.done).toEqual(['account', 'laptop', 'mailbox', 'welcome']);
  });

  it.each<[string, Script['answers']]>([
    ['the manager', { manager: [{ by: 'max', answer: no }] }],
    ['one of security', { security: [{ by: 'sue/security', answer: no }] }],
  ])('withdraws the other question when %s refuses', (_, answers) => {
    const run = onboard({ answers: answers ?? {} });
    expect([run.end, run.outputs, run.done]).toEqual(['completed', { joined: false }, ['refuse']]);
    expect([run.status('manager'), run.status('security')].sort()).toEqual(['cancelled', 'completed']);
  });

  it('takes the account away when the mailbox cannot be made', () => {
    const run = onboard({ effects: { mailbox: refused('quota') } });
    expect([run.end, run.done.at(-1)]).toEqual(['failed', 'account/compensate']);
  });

  it('fails when nobody answers', () => {
    expect(onboard({ answers: {} }).end).toBe('failed');
  });

  it('is cancelled by a person, and nothing is left', () => {
    const run = onboard({ answers: {}, cancelAfter: 'manager' });
    expect([run.end, run.begun]).toEqual(['cancelled', []]);
  });
});

describe('backfill', () => {
  const days = Array.from({ length: 20 }, (_, index) => `2026-10-${String(index + 1).padStart(2, '0')}`);
  const failing = (bad: readonly string[]): Script['effects'] =>
    Object.fromEntries(bad.map((day) => [`load[${day}]`, refused('bad-data')]));
  const backfill = (effects: Script['effects'], answers: Script['answers'] = {}) =>
    new ExampleRun('backfill', {
      inputs: { days },
      environment: { name: 'warehouse', variables },
      effects: effects ?? {},
      answers,
    });

  it('loads all days in waves', () => {
    const run = backfill({});
    expect([run.end, run.outputs]).toEqual(['completed', { loaded: 20, failed: [] }]);
    expect(run.status('repair')).toBe('not-taken');
  });

  it('hands the few that failed to a person', () => {
    const repair = [{ by: 'dan/data', answer: { done: true } }];
    const run = backfill(failing(days.slice(5, 7)), { repair });
    expect([run.end, run.outputs]).toEqual(['completed', { loaded: 18, failed: ['2026-10-06', '2026-10-07'] }]);
    expect(run.done.at(-1)).toBe('publish');
  });

  it('begins nothing more when a fifth has failed', () => {
    const run = backfill(failing(days.slice(2, 8)));
    expect([run.end, run.error]).toEqual(['failed', 'items-failed']);
    expect(run.begun.length).toBeLessThan(20);
  });

  it('tries a deadlock again', () => {
    const run = backfill({
      load: (_, call) => (call === 1 ? refused('deadlock') : { status: 'completed', output: [] }),
    });
    expect([run.end, run.begun.filter((path) => path.startsWith('load'))]).toEqual([
      'completed',
      expect.objectContaining({ length: 40 }),
    ]);
  });

  it('fails when nobody repairs', () => {
    expect(backfill(failing([days[3] ?? ''])).end).toBe('failed');
  });
});

describe('order-payment', () => {
  const order = (amount: number | null, effects: Script['effects'] = {}) =>
    new ExampleRun('order-payment', {
      inputs: { order: 'o-1', amount: 10.5 },
      environment: { name: 'shop', variables },
      effects,
      messages: amount === null ? [] : [{ name: 'payment', key: 'o-1', payload: { amount } }],
    });

  it('ships what is paid', () => {
    const run = order(10.5);
    expect([run.end, run.outputs, run.status('expired')]).toEqual(['completed', { shipped: true }, 'cancelled']);
  });

  it('gives up after three days, and frees the goods', () => {
    const run = order(null);
    expect([run.end, run.error, run.done]).toEqual(['failed', 'not-paid', ['reserve', 'reserve/compensate']]);
    expect(run.status('paid')).toBe('cancelled');
  });

  it('gives back what is too little, and frees the goods', () => {
    const run = order(5);
    expect([run.end, run.error, run.done]).toEqual(['failed', 'not-paid', ['reserve', 'refund', 'reserve/compensate']]);
  });

  it('frees the goods when they cannot be shipped', () => {
    const run = order(11, { ship: status(500) });
    expect([run.end, run.done.at(-1)]).toEqual(['failed', 'reserve/compensate']);
  });
});

describe('tenant-provisioning', () => {
  const regions = ['eu', 'us'];
  const provision = (more: Partial<Script> = {}) =>
    new ExampleRun('tenant-provisioning', {
      inputs: { tenant: 'acme', regions },
      environment: { name: 'cloud', variables },
      ...more,
      effects: {
        'region/ready': ({ path }, call) =>
          status(200, { state: call > 1 ? 'ready' : 'making', address: `db.${path.slice(7, 9)}` }),
        ...more.effects,
      },
    });

  it('makes all regions and puts the tenant live', () => {
    const run = provision();
    expect([run.end, run.outputs]).toEqual(['completed', { addresses: ['db.eu', 'db.us'] }]);
  });

  it('takes all regions away when the child process fails', () => {
    const run = provision({ children: { smoke: { status: 'failed' } } });
    expect(run.end).toBe('failed');
    const undone = run.done.filter((path) => path.endsWith('/compensate'));
    expect(undone).toHaveLength(4);
    for (const region of regions)
      expect(undone.indexOf(`region[${region}]/domain/compensate`)).toBeLessThan(
        undone.indexOf(`region[${region}]/database/compensate`),
      );
  });

  it('takes away what is there when one region fails', () => {
    const run = provision({ effects: { 'region[us]/domain': status(409) } });
    expect(run.end).toBe('failed');
    expect(run.done).toContain('region[us]/database/compensate');
    expect(run.done).not.toContain('region[us]/domain/compensate');
  });
});

describe('first-steps', () => {
  const steps = (ask: boolean, go?: boolean) =>
    new ExampleRun('first-steps', {
      inputs: { name: 'you', ask },
      answers: go === undefined ? {} : { approve: [{ by: 'bob', answer: { go } }] },
    });

  it('shouts unless it is told to whisper', () => {
    expect([steps(false).outputs, steps(true, true).outputs, steps(true, false).outputs]).toEqual([
      'YOU!',
      'YOU!',
      'Hello, you!',
    ]);
  });

  it('fails when nobody answers', () => {
    expect(steps(true).end).toBe('failed');
  });
});

describe('credit-check', () => {
  const question = 'c1-01890a5d-ac96-774b-bcce-b302099a8057';
  const answer = (granted: boolean, more: object = {}) => ({
    topic: 'credit.answers',
    key: 'c7',
    value: { question, granted, ...more },
  });
  const check = (more: Partial<Script> = {}) =>
    new ExampleRun('credit-check', { inputs: { customer: 'c7', amount: 100 }, records: [answer(true)], ...more });
  const decision = (run: ExampleRun) => run.effects.findLast(({ path }) => path === 'told')?.fields['value'];

  it('asks with its own id, and tells what was answered', () => {
    const run = check();
    expect([run.end, run.outputs]).toEqual(['completed', { granted: true }]);
    expect(run.effects[0]?.fields).toMatchObject({ key: 'c7', value: { customer: 'c7', amount: 100, question } });
    expect(decision(run)).toEqual({ customer: 'c7', granted: true });
  });

  it("takes no other question's answer, no other customer's, and none that is malformed", () => {
    const other = { ...answer(true), value: { question: 'another', granted: true } };
    const malformed = { ...answer(true), value: { question, granted: 'yes' } };
    const run = check({ records: [other, { ...answer(true), key: 'c8' }, malformed, answer(false)] });
    expect([run.end, run.outputs, decision(run)]).toEqual([
      'completed',
      { granted: false },
      { customer: 'c7', granted: false },
    ]);
  });

  it('grants nothing when nobody answers in a day', () => {
    const run = check({ records: [] });
    expect([run.end, run.outputs, run.status('answer')]).toEqual(['completed', { granted: false }, 'failed']);
  });

  it('asks again when nobody knows whether the question was written, and when Kafka is away', () => {
    const run = check({ effects: { ask: (_, call) => [unknown, refused('connection')][call - 1] ?? answered(null) } });
    expect(run.end).toBe('completed');
    expect(run.begun.filter((path) => path === 'ask')).toHaveLength(3);
    expect(new Set(run.effects.filter(({ path }) => path === 'ask').map((one) => one.idempotencyKey)).size).toBe(1);
  });
});
