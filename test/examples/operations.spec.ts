import { describe, expect, it } from 'vitest';
import { answered, ExampleRun, refused, type Script, status, unknown } from './example-run.js';

const variables = {
  target: 'https://t',
  gateway: 'https://g',
  chat: 'https://c',
  platform: 'https://p',
  router: 'https://r',
  metrics: 'https://m',
  logs: 'https://l',
  pager: 'https://x',
  tracker: 'https://y',
  vault: 'https://v',
  application: 'https://a',
};
const production = { name: 'production', variables };

describe('rolling-release', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'];
  const go = [{ by: 'bob/release-manager', answer: { go: true } }];
  const release = (more: Partial<Script> = {}) =>
    new ExampleRun('rolling-release', {
      inputs: { version: 'v1.2', hosts },
      environment: production,
      answers: { approve: go },
      ...more,
    });

  it('reaches every host in waves, after somebody agreed', () => {
    const run = release();
    expect([run.end, run.outputs]).toEqual(['completed', { released: 'v1.2', hosts: 5 }]);
    expect(run.done).toEqual(['record', ...hosts.map((host) => `deploy[${host}]`), 'smoke', 'finally/report']);
  });

  it('asks nobody on staging', () => {
    const run = release({ environment: { name: 'staging', variables }, answers: {} });
    expect([run.end, run.status('approve')]).toEqual(['completed', 'skipped']);
  });

  it('ends when it is refused, and takes the record back', () => {
    const run = release({ answers: { approve: [{ by: 'bob/release-manager', answer: { go: false } }] } });
    expect([run.end, run.error]).toEqual(['failed', 'expect']);
    expect(run.done).toEqual(['record', 'record/compensate', 'finally/report']);
    expect(run.effects.at(-1)?.fields['body']).toEqual({ version: 'v1.2', status: 'failed' });
  });

  it('ends when nobody answers in time', () => {
    const run = release({ answers: {} });
    expect([run.end, run.status('record')]).toEqual(['failed', 'compensated']);
    expect(run.log.some((event) => event.type === 'TaskReminded')).toBe(true);
  });

  it('rolls back the hosts in reverse when one fails for good', () => {
    const run = release({ effects: { 'deploy[c]': status(500) } });
    expect(run.end).toBe('failed');
    const undone = run.done.filter((path) => path.endsWith('/compensate'));
    expect(undone.at(-1)).toBe('record/compensate');
    expect(undone.filter((path) => path.startsWith('deploy'))).toEqual(
      run.done
        .filter((path) => /^deploy\[.\]$/.test(path))
        .reverse()
        .map((path) => `${path}/compensate`),
    );
  });

  it('tries an unreachable host again', () => {
    const run = release({ effects: { 'deploy[b]': (_, call) => (call < 3 ? refused('connection') : status(200)) } });
    expect(run.end).toBe('completed');
  });

  it('rolls back when the smoke test never comes good', () => {
    const run = release({ effects: { smoke: status(503) } });
    expect([run.end, run.error]).toEqual(['failed', 'exhausted']);
    expect(run.done.filter((path) => path.endsWith('/compensate'))).toHaveLength(6);
  });
});

describe('nightly-maintenance', () => {
  const night = (effects: Script['effects'] = {}) =>
    new ExampleRun('nightly-maintenance', {
      inputs: { tables: ['orders', 'users'] },
      environment: production,
      effects: { count: answered({ rows: [{ orders: '7' }], rowCount: 1 }), ...effects },
    });

  it('opens the gateway again after all went well', () => {
    const run = night();
    expect([run.end, run.outputs, run.status('finally/tell')]).toEqual([
      'completed',
      { tables: ['orders', 'users'] },
      'skipped',
    ]);
    expect(run.done.at(-1)).toBe('finally/open');
  });

  it('goes on when one table fails', () => {
    const run = night({ 'vacuum[orders]': refused('lock-timeout') });
    expect([run.end, run.outputs]).toEqual(['completed', { tables: ['users'] }]);
  });

  it('opens the gateway and tells when all tables fail', () => {
    const run = night({ vacuum: refused('lock-timeout') });
    expect([run.end, run.done.slice(-2)]).toEqual(['failed', ['finally/open', 'finally/tell']]);
  });

  it('opens the gateway and tells when the orders are gone', () => {
    const run = night({ count: answered({ rows: [{ orders: '0' }], rowCount: 1 }) });
    expect([run.end, run.error, run.done.slice(-2)]).toEqual(['failed', 'no-orders', ['finally/open', 'finally/tell']]);
  });

  it('opens the gateway after a bad archive, however often it must be tried', () => {
    const run = night({
      archive: refused('disk-full'),
      'finally/open': (_, call) => (call < 4 ? refused('connection') : status(200)),
    });
    expect([run.end, run.done]).toEqual(['failed', ['close', 'finally/open', 'finally/tell']]);
  });
});

describe('incident-runbook', () => {
  const runbook = (severity: number, action: string, effects: Script['effects'] = {}) =>
    new ExampleRun('incident-runbook', {
      inputs: { service: 'shop', summary: 'slow', severity },
      environment: production,
      effects,
      answers: { handle: [{ by: 'bob/on-call', answer: { action } }] },
    });

  it.each([
    [1, 'restart', 'page', 'restart'],
    [2, 'rollback', 'ticket', 'rollback'],
    [4, 'restart', 'ticket', 'restart'],
  ])('severity %i with %s goes by %s', (severity, action, told, acted) => {
    const run = runbook(severity, action);
    expect([run.end, run.outputs]).toEqual(['completed', { action }]);
    expect(run.begun).toEqual(expect.arrayContaining([told, 'logs', 'metrics', acted, 'healthy']));
    expect(run.status(told === 'page' ? 'ticket' : 'page')).toBe('not-taken');
  });

  it('ends without doing anything', () => {
    const run = runbook(3, 'none');
    expect([run.end, run.outputs, run.status('healthy')]).toEqual(['completed', { action: 'none' }, 'not-taken']);
  });

  it('goes on when a source of the diagnosis is away', () => {
    const run = runbook(1, 'restart', { logs: refused('connection') });
    expect(run.end).toBe('completed');
    expect(run.state.operators.get('diagnosis')?.output).toMatchObject({ logs: 'no logs' });
  });

  it('fails when the service does not become healthy', () => {
    const run = runbook(1, 'restart', { healthy: status(503) });
    expect(run.end).toBe('failed');
  });
});

describe('blue-green', () => {
  const switching = (effects: Script['effects'] = {}) =>
    new ExampleRun('blue-green', {
      inputs: { service: 'shop', from: 'blue', to: 'green', checks: 4 },
      environment: production,
      effects: { watch: status(200, { rate: 0.001 }), ...effects },
    });

  it('retires the old colour after a quiet watch', () => {
    const run = switching();
    expect([run.end, run.outputs]).toEqual(['completed', { live: 'green' }]);
    expect(run.begun.filter((path) => path.startsWith('watch'))).toHaveLength(4);
    expect(run.done.at(-1)).toBe('retire');
  });

  it('stops at the first bad check and undoes, the router first', () => {
    const run = switching({ watch: (_, call) => status(200, { rate: call === 2 ? 0.2 : 0 }) });
    expect([run.end, run.error]).toEqual(['failed', 'expect']);
    expect(run.begun.filter((path) => path.startsWith('watch') && !path.endsWith('compensate'))).toHaveLength(2);
    expect(run.done.slice(-2)).toEqual(['switch/compensate', 'start/compensate']);
  });

  it('stops the new colour when it never warms up', () => {
    const run = switching({ warm: status(503) });
    expect([run.end, run.error]).toEqual(['failed', 'exhausted']);
    expect(run.done.at(-1)).toBe('start/compensate');
    expect(run.begun).not.toContain('switch');
  });
});

describe('secret-rotation', () => {
  const rotate = (more: Partial<Script> = {}) =>
    new ExampleRun('secret-rotation', {
      inputs: { user: 'app' },
      environment: production,
      ...more,
      effects: { create: status(201, { id: 'p1', password: 'x' }), ...more.effects },
    });

  it('retires the old password when the new one works', () => {
    const run = rotate();
    expect([run.end, run.outputs, run.done]).toEqual([
      'completed',
      { id: 'p1' },
      ['create', 'apply', 'check', 'retire'],
    ]);
    expect(run.effects[0]?.fields['headers']).toEqual({
      authorization: { $secret: { parts: ['Bearer ', { name: 'VAULT_TOKEN' }] } },
    });
    expect(run.effects[0]?.sensitive).toEqual(['body.password']);
  });

  it('asks the vault when nobody knows whether the password was made, and goes on with it', () => {
    const run = rotate({ effects: { create: unknown, 'create/verify': status(200, { id: 'p9', password: 'y' }) } });
    expect([run.end, run.outputs]).toEqual(['completed', { id: 'p9' }]);
    expect(run.begun.filter((path) => path === 'create')).toHaveLength(1);
  });

  it('makes it again when the vault says it was not made', () => {
    const create = (_: unknown, call: number) => (call === 1 ? unknown : status(201, { id: 'p2', password: 'z' }));
    const run = rotate({ effects: { create, 'create/verify': status(404) } });
    expect([run.end, run.outputs]).toEqual(['completed', { id: 'p2' }]);
  });

  it.each([
    ['skip', 'completed'],
    ['rerun', 'completed'],
    ['fail', 'failed'],
  ] as const)('a person decides by %s when nobody knows whether the program ran', (action, end) => {
    const apply = (_: unknown, call: number) =>
      call === 1 ? unknown : answered({ exitCode: 0, stdout: '', stderr: '' });
    const output = action === 'skip' ? { output: { exitCode: 0 } } : {};
    const run = rotate({ effects: { apply }, incidents: () => ({ action, ...output }) });
    expect(run.end).toBe(end);
    if (end === 'failed') expect(run.done.at(-1)).toBe('create/compensate');
  });

  it('takes the new password back when the check fails', () => {
    const run = rotate({ effects: { check: status(500) } });
    expect([run.end, run.done.at(-1)]).toEqual(['failed', 'create/compensate']);
    expect(run.effects.at(-1)?.fields['url']).toBe('https://v/passwords/p1');
  });
});
