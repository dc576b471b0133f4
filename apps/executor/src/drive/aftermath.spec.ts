import type { CompiledDefinition, EffectOutcome } from '@baton/process';
import { compile, initialState } from '@baton/process';
import { expect, it } from 'vitest';
import type { ExecutorPorts } from '../executor.ports.js';
import { Aftermath } from './aftermath.js';

type Ports = ConstructorParameters<typeof Aftermath>[0];

function definition(): CompiledDefinition {
  const text = `
kind: Process
name: t/x
operators:
  a: { type: http, method: GET, url: "https://x" }
  b: { type: http, method: GET, url: "https://x", after: [a], query: { n: "\${{ operators.a.output.body.n }}" } }
`;
  const result = compile(text, { version: 1 });
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result.definition;
}

function aftermath(load: ExecutorPorts['artifacts']['load']): Aftermath {
  const ports: Pick<Ports, 'artifacts'> = {
    artifacts: { load, put: async (content) => ({ digest: `d${content.byteLength}`, size: content.byteLength }) },
  };
  return new Aftermath(
    ports as Ports,
    { start: (_name, work) => work() } as ConstructorParameters<typeof Aftermath>[1],
    'e1',
  );
}

const outcome = (digest: string): EffectOutcome => ({
  path: 'a',
  attempt: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:00.000Z',
  result: { status: 'completed', output: { $artifact: { digest, size: 300_000, mediaType: 'application/json' } } },
});

it('loads the large output of what ends now: its own expect and what begins after it read it in the same decision', async () => {
  const loads: string[] = [];
  const subject = aftermath(async (digest) => {
    loads.push(digest);
    return { status: 200, body: { n: 1 } };
  });
  await subject.loadArtifacts(definition(), initialState('p'), [outcome('d1')]);
  expect(subject.artifact('d1')).toEqual({ status: 200, body: { n: 1 } });
  await subject.loadArtifacts(definition(), initialState('p'), [outcome('d1')]);
  expect(loads).toEqual(['d1']);
});

it('keeps what this decision needs when the others are let go', async () => {
  const subject = aftermath(async (digest) => digest);
  const many = Array.from({ length: 300 }, (_, n) => outcome(`d${n}`));
  await subject.loadArtifacts(definition(), initialState('p'), many.slice(0, 200));
  await subject.loadArtifacts(definition(), initialState('p'), many.slice(100));
  for (const n of [100, 199, 299]) expect(subject.artifact(`d${n}`)).toBe(`d${n}`);
  expect(subject.artifact('d0')).toBeUndefined();
});

it('tells the scheduler, with the commit, who has ended and that a receiver waits for a message, and nothing else', () => {
  const told: string[] = [];
  const ports: Pick<Ports, 'wakeUp'> = {
    wakeUp: { notify: (topic, detail = '') => void told.push(`${topic} ${detail}`) },
  };
  const subject = new Aftermath(ports as Ports, {} as ConstructorParameters<typeof Aftermath>[1], 'e1');
  const data = { path: 'a', attempt: 1, executor: 'e1', class: 'waiting' as const };
  const delay = { kind: 'timer' as const, dueAt: '2026-01-01T00:00:00.000Z' };
  subject.started([
    { type: 'ProcessStarted', data: { executor: 'e1' } },
    { type: 'OperatorStarted', data: { ...data, type: 'delay', waitsFor: delay } },
    { type: 'OperatorStarted', data: { ...data, type: 'http', class: 'effect' } },
  ]);
  expect(told).toEqual([]);
  const message = { kind: 'message' as const, name: 'go', dueAt: null };
  subject.started([{ type: 'OperatorStarted', data: { ...data, type: 'receive', waitsFor: message } }]);
  subject.ended('c1-p', null);
  expect(told).toEqual(['message ', 'ended c1-p']);
});
