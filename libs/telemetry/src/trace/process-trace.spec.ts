import { describe, expect, it } from 'vitest';
import { ProcessTrace, type TracedEvent } from './process-trace.js';
import type { SpanRecord } from './span.record.js';
import { attemptSpanId, processSpanId, traceIdOf } from './trace-context.js';

const id = 'c1-0190f3a2-7c1e-7a00-8000-000000000001';
const began = Date.parse('2026-11-24T10:00:00.000Z');
const iso = (second: number): string => new Date(began + second * 1000).toISOString();

type Given = [type: string, data: object, second?: number];
function events(...given: Given[]): TracedEvent[] {
  const all: Given[] = [['ProcessRequested', { definition: { name: 'default/work', version: 3 } }], ...given];
  return all.map(([type, data, second], index) => ({
    type,
    data,
    stream: id,
    sequence: index + 1,
    recordedAt: iso(second ?? index),
    metadata: {},
  }));
}

function fold(all: readonly TracedEvent[], sampler = (): boolean => true): SpanRecord[] {
  const trace = new ProcessTrace(id, sampler);
  const spans: SpanRecord[] = [];
  for (const event of all) trace.apply(event, (span) => spans.push(span));
  return spans;
}

const start = (path: string, attempt = 1, more: object = {}): Given => [
  'OperatorStarted',
  { path, type: 'http', class: 'effect', attempt, executor: 'e1', ...more },
];
const done = (path: string, attempt = 1, more: object = {}): Given => ['OperatorCompleted', { path, attempt, ...more }];
const failure = { code: 'connection', message: 'https://secret.example/hidden refused' };

describe('spans of a process', () => {
  it('one for the process and one for each attempt, with computed ids and recorded times (1)', () => {
    const spans = fold(
      events(
        ['ProcessStarted', { executor: 'e1' }],
        start('a'),
        done('a', 1, { startedAt: iso(2.5), endedAt: iso(2.75), outcome: 'ok' }),
        ['ProcessCompleted', { outputs: null }],
      ),
    );
    expect(spans.map(({ name, spanId, parentSpanId }) => ({ name, spanId, parentSpanId }))).toEqual([
      { name: 'http a', spanId: attemptSpanId(id, 'a', 1), parentSpanId: processSpanId(id) },
      { name: 'process default/work', spanId: processSpanId(id), parentSpanId: undefined },
    ]);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceIdOf(id)]));
    expect([spans[0]?.startedAt, spans[0]?.endedAt]).toEqual([began + 2500, began + 2750]);
    expect([spans[1]?.startedAt, spans[1]?.endedAt]).toEqual([began, began + 4000]);
    expect(spans[0]?.attributes).toEqual({
      'baton.process.id': id,
      'baton.definition.name': 'default/work',
      'baton.definition.version': 3,
      'baton.operator.path': 'a',
      'baton.operator.type': 'http',
      'baton.operator.attempt': 1,
      'baton.operator.outcome': 'ok',
      'baton.executor.id': 'e1',
    });
  });

  it('an attempt that a lost executor cut off ends at the takeover, with an error, and the next one links to it', () => {
    const spans = fold(
      events(
        ['ProcessStarted', { executor: 'e1' }],
        start('a'),
        ['ProcessTakenOver', { executor: 'e2', from: 'e1', operatorsPassedOver: 0 }, 10],
        ['OperatorOutcomeUnknown', { path: 'a', attempt: 1, reason: 'its executor e1 was lost', lost: true }, 12],
        start('a', 2, { executor: 'e2' }),
        done('a', 2),
        ['ProcessCompleted', {}, 30],
      ),
    );
    const [first, second, process] = spans;
    expect(first).toMatchObject({ error: 'cut off: its executor was lost', endedAt: began + 10_000 });
    expect(second?.links).toEqual([
      { spanId: attemptSpanId(id, 'a', 1), attributes: { 'baton.link': 'taken-over-from' } },
    ]);
    expect(second?.attributes['baton.executor.id']).toBe('e2');
    expect(process?.events).toContainEqual({
      name: 'process.taken-over',
      at: began + 10_000,
      attributes: { 'baton.executor.id': 'e2', 'baton.executor.lost': 'e1', 'baton.operators.passed_over': 0 },
    });
  });

  it('a verification that finds that it happened gives no second span of the attempt (1)', () => {
    const spans = fold(
      events(
        start('a'),
        ['OperatorOutcomeUnknown', { path: 'a', attempt: 1, lost: true }],
        start('a/verify'),
        done('a/verify'),
        done('a', 1),
        ['ProcessCompleted', {}],
      ),
    );
    expect(spans.map(({ name }) => name)).toEqual(['http a', 'http a/verify', 'process default/work']);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3);
    expect(spans[2]?.events.map(({ name }) => name)).toContain('process.operator-completed');
  });

  it('inline operators have a span of their own, of the type that their end tells; tried again, each with another id', () => {
    const spans = fold(
      events(
        ['OperatorRetryScheduled', { path: 's', type: 'set', attempt: 1, error: { code: 'expect', message: '' } }],
        ['OperatorRetryScheduled', { path: 's', type: 'set', attempt: 1, error: { code: 'expect', message: '' } }],
        done('s', 1, { type: 'set' }),
        ['ProcessCompleted', {}],
      ),
    );
    expect(spans.map(({ name }) => name)).toEqual(['set s', 'set s', 'set s', 'process default/work']);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4);
    expect(spans.map(({ error }) => error)).toEqual(['expect', 'expect', undefined, undefined]);
  });

  it('groups, loops and their items nest', () => {
    const spans = fold(
      events(
        start('g', 1, { type: 'group' }),
        start('g#2/l', 1, { type: 'http' }),
        start('g#2/l[a%2Fb]'),
        done('g#2/l[a%2Fb]'),
        done('g#2/l'),
        done('g'),
        ['ProcessCompleted', {}],
      ),
    );
    const of = (path: string) => spans.find((span) => span.attributes['baton.operator.path'] === path);
    expect(of('g#2/l[a%2Fb]')?.parentSpanId).toBe(of('g#2/l')?.spanId);
    expect(of('g#2/l')?.parentSpanId).toBe(of('g')?.spanId);
    expect(of('g')?.parentSpanId).toBe(processSpanId(id));
  });

  it('what an operator waits for is seen: kind, task, answer, timer', () => {
    const [ask] = fold(
      events(
        start('ask', 1, { type: 'user-task', class: 'waiting', waitsFor: { kind: 'task', taskId: 't1' } }),
        ['TaskAssigned', { taskId: 't1', path: 'ask', attempt: 1, form: { secret: 'form' } }],
        ['TimerFired', { path: 'ask', timer: 'remind', dueAt: iso(3) }],
        ['TaskAnswered', { taskId: 't1', path: 'ask', answer: { secret: 'answer' }, by: { id: 'ann' } }],
        done('ask', 1, { output: { secret: 'output' } }),
      ),
    );
    expect(ask?.attributes['baton.operator.waits_for']).toBe('task');
    expect(ask?.events.map(({ name }) => name)).toEqual([
      'process.task-assigned',
      'process.timer-fired',
      'process.task-answered',
    ]);
    expect(JSON.stringify(ask)).not.toMatch(/secret|ann/);
  });

  it('paused, resumed and incidents are events of the process; a run after a retry is a span of its own', () => {
    const spans = fold(
      events(
        ['ProcessPaused', { by: { id: 'ann' }, reason: 'secret' }],
        ['ProcessResumed', { by: { id: 'ann' } }],
        ['IncidentRaised', { incidentId: 'i1', kind: 'unknown-outcome', path: 'a', reason: 'secret', actions: [] }],
        ['ProcessFailed', { error: failure, path: 'a', compensated: [], notUndone: [] }],
        ['ProcessRetried', { by: { id: 'ann' }, paths: ['a'] }],
        ['ProcessCompleted', {}],
      ),
    );
    expect(spans[0]?.events.map(({ name }) => name)).toEqual([
      'process.paused',
      'process.resumed',
      'process.incident-raised',
    ]);
    expect(spans[0]).toMatchObject({ spanId: processSpanId(id), error: 'connection at a' });
    expect(spans[1]).toMatchObject({ spanId: processSpanId(id, 2), parentSpanId: processSpanId(id) });
    expect(JSON.stringify(spans)).not.toMatch(/secret|ann|hidden/);
  });

  it('a failure shows its code, and nothing that a definition or a target wrote (3)', () => {
    const spans = fold(
      events(start('a'), ['OperatorFailed', { path: 'a', attempt: 1, error: failure }], start('b'), [
        'OperatorFailed',
        { path: 'b', attempt: 1, error: { code: 'the secret is: 42', message: '' } },
      ]),
    );
    expect(spans.map(({ error }) => error)).toEqual(['connection', 'failed']);
  });

  it('keeps at most 128 events of a span, and counts the others (2)', () => {
    const many = Array.from({ length: 200 }, (): Given => ['ProcessPaused', { by: { id: 'x' } }]);
    const spans = fold(events(...many, ['ProcessCompleted', {}]));
    expect([spans[0]?.events.length, spans[0]?.droppedEvents]).toEqual([128, 72]);
  });

  it('continues the trace that came with the request, sampled or not', () => {
    const [requested, ...rest] = events(start('a'), done('a'), ['ProcessCompleted', {}]);
    const incoming = (flags: string): TracedEvent[] => [
      {
        ...(requested as TracedEvent),
        metadata: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`, tracestate: 'v=1' },
      },
      ...rest,
    ];
    const [, process] = fold(incoming('01'), () => false);
    expect(process).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), tracestate: 'v=1' });
    expect(fold(incoming('00'))).toEqual([]);
    expect(fold([requested as TracedEvent, ...rest], () => false)).toEqual([]);
  });
});
