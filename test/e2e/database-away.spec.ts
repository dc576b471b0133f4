import type { BatonClient } from '@baton/client';
import { type TestCluster, type TestDatabase, testCluster } from '@baton/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { heedRetryAfter } from './patience.js';
import { attemptsRepeated, countOf, expectPromiseKept, started, untilIn } from './process.audit.js';
import { StandaloneProcess } from './standalone.process.js';

const definition = `
kind: Process
name: e2e/away
inputs: { target: { type: string } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: fail }
  held: { type: http, after: [first], method: POST, url: "\${{ inputs.target }}/gate/held", recovery: fail }
  pause: { type: delay, after: [first], for: 2s }
  last: { type: http, after: [held, pause], method: POST, url: "\${{ inputs.target }}/last", recovery: fail }
`;

let server: TestCluster;
let database: TestDatabase;
let baton: StandaloneProcess;
let target: EffectTarget;
beforeAll(async () => {
  [server, target] = await Promise.all([testCluster(), EffectTarget.start()]);
  database = await server.database();
  await database.pool.end();
  baton = new StandaloneProcess();
});
afterAll(async () => {
  await baton.remove();
  await target.close();
  await server.drop();
});

const request = (client: BatonClient) =>
  client.request({ definition: 'e2e/away', inputs: { target: target.url } }).then(({ id }) => id);

it('when PostgreSQL stops and comes back everything waits and goes on: nothing lost, taken over or repeated; REST says so meanwhile', async () => {
  // A lease far shorter than the time the database is away.
  await baton.start(['--database', database.url, '--executors', '2', '--allow-address', '127.0.0.1/32'], {
    BATON_LEASE_MS: '1500',
  });
  const pids = baton.told().pids;
  const client = baton.client({ patienceMs: 120_000 });
  await client.publish(definition);
  const ids = await Promise.all(Array.from({ length: 6 }, () => request(client)));
  await target.untilAt('held', ids.length);
  await Promise.all(ids.map((id) => untilIn(client, id, (events) => started(events, 'held').length === 1)));

  await server.cluster.stop('immediate');
  const meanwhile = Array.from({ length: 3 }, () => request(client));
  const { url, token } = baton.told();
  for (let heard = 0; heard < 4; heard++) {
    const answer = await fetch(`${url}/v1/processes`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ status: 503, detail: expect.stringContaining('database') });
    await heedRetryAfter(answer);
    if (heard === 1) target.open('held'); // effects end while the database is away: their outcome is not forgotten
  }
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  await server.cluster.start();

  ids.push(...(await Promise.all(meanwhile)));
  const ended = await Promise.all(ids.map((id) => client.waitForEnd(id)));
  expect(ended.map(({ status, error }) => [status, error])).toEqual(ids.map(() => ['completed', undefined]));
  const events = await expectPromiseKept(client, target, ids);
  expect(attemptsRepeated(events)).toBe(0);
  expect(countOf(events, 'ProcessTakenOver')).toBe(0);
  expect(baton.told().pids).toEqual(pids);
});
