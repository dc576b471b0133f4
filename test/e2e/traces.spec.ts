import type { BatonClient } from '@baton/client';
import type { RecordedEvent } from '@baton/process';
import { OtlpReceiver, type ReceivedSpan } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { eventsOf } from './process.audit.js';
import { StandaloneProcess } from './standalone.process.js';

const definition = `
kind: Process
name: e2e/traced
inputs: { target: { type: string }, gate: { type: string, default: none } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: rerun }
  middle: { type: http, after: [first], method: POST, url: "\${{ inputs.target }}/gate/\${{ inputs.gate }}", recovery: rerun }
  note: { type: set, after: [middle], value: done }
  last: { type: http, after: [note], method: POST, url: "\${{ inputs.target }}/last", recovery: rerun }
`;
const parent = `
kind: Process
name: e2e/traced-parent
inputs: { target: { type: string } }
operators:
  script: { type: script, recovery: rerun, run: [sh, -c, 'printf %s "$TRACEPARENT"'] }
  work: { type: process, after: [script], definition: e2e/traced, inputs: { target: "\${{ inputs.target }}" } }
`;
const caller = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

let baton: StandaloneProcess;
let target: EffectTarget;
let receiver: OtlpReceiver;
let client: BatonClient;
beforeAll(async () => {
  target = await EffectTarget.start();
  target.open('none');
  receiver = await OtlpReceiver.start();
  baton = new StandaloneProcess();
  await baton.start(['--executors', '2', '--allow-address', '127.0.0.1/32', '--otlp', receiver.url], {
    BATON_LEASE_MS: '2000',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_METRIC_EXPORT_TIMEOUT: '1000',
  });
  client = baton.client({ patienceMs: 120_000 });
  await client.publish(definition);
  await client.publish(parent);
});
afterAll(async () => {
  await baton?.remove();
  await receiver?.goAway();
  await target?.close();
});

const inputs = (gate = 'none') => ({ target: target.url, gate });
const ms = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);
const keyOf = ({ attributes }: ReceivedSpan): string =>
  `${attributes['baton.operator.path']}#${attributes['baton.operator.attempt']}`;

const isAttempt = ({ attributes }: ReceivedSpan): boolean => attributes['baton.operator.path'] !== undefined;

/** The attempts that the log tells of, by the events alone. */
function attemptsIn(events: readonly RecordedEvent[]): string[] {
  const started = new Set<string>();
  for (const { type, data } of events) {
    if (type === 'OperatorStarted' || type === 'OperatorCompleted' || type === 'OperatorFailed')
      started.add(`${data.path}#${data.attempt}`);
  }
  return [...started].sort();
}

/** One trace, every attempt once, and whatever the target saw as a parent is among the spans. */
async function wholeTrace(id: string): Promise<ReceivedSpan[]> {
  await client.waitForEnd(id);
  const spans = await receiver.wholeTrace(id);
  expect(new Set(spans.map((span) => span.traceId)).size).toBe(1);
  const operators = spans.filter(isAttempt);
  expect(operators.map(keyOf).sort()).toEqual(attemptsIn(await eventsOf(client, id)));
  const known = new Map(spans.map((span) => [`00-${span.traceId}-${span.spanId}-01`, keyOf(span)]));
  for (const effect of target.entries().filter(({ process }) => process === id))
    expect(known.get(effect.traceparent), effect.traceparent).toBe(`${effect.path}#${effect.attempt}`);
  return spans;
}

function one(spans: readonly ReceivedSpan[], key: string): ReceivedSpan {
  const found = spans.filter((span) => keyOf(span) === key || span.name === key);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} spans ${key}`);
  return found[0];
}

describe('the trace of a process is derived from its log', () => {
  it('is whole after its executor was killed in the middle of an effect, continues the caller’s trace, and shows the takeover', async () => {
    const { id } = await client.request(
      { definition: 'e2e/traced', inputs: inputs('killed') },
      { traceparent: `00-${caller.trace}-${caller.span}-01` },
    );
    await target.untilAt('killed', 1);
    const owner = (await client.executors()).items.find(({ processes }) => processes > 0);
    await baton.replace(owner?.pid ?? 0, 'SIGKILL');
    target.open('killed');
    const spans = await wholeTrace(id);

    const process = one(spans, 'process e2e/traced');
    expect([process.traceId, process.parentSpanId]).toEqual([caller.trace, caller.span]);
    const rest = spans.filter((span) => span !== process);
    expect(new Set(rest.map((span) => span.parentSpanId))).toEqual(new Set([process.spanId]));
    expect(process.attributes).toMatchObject({
      'baton.process.id': id,
      'baton.definition.name': 'e2e/traced',
      'baton.definition.version': 1,
      'baton.process.status': 'completed',
      'baton.process.takeovers': 1,
    });

    const events = await eventsOf(client, id);
    const at = (type: string, nth = 0) =>
      Date.parse(events.filter((event) => event.type === type)[nth]?.recordedAt ?? '');
    expect([ms(process.startTimeUnixNano), ms(process.endTimeUnixNano)]).toEqual([
      at('ProcessRequested'),
      at('ProcessCompleted'),
    ]);
    const takenOver = process.events.find(({ name }) => name === 'process.taken-over');
    expect(ms(takenOver?.timeUnixNano ?? 0n)).toBe(at('ProcessTakenOver'));

    const cutOff = one(spans, 'middle#1');
    const again = one(spans, 'middle#2');
    expect(cutOff.name).toBe('http middle');
    expect(cutOff.status).toMatchObject({ code: 2, message: 'cut off: its executor was lost' });
    expect(ms(cutOff.endTimeUnixNano)).toBe(at('ProcessTakenOver'));
    expect(cutOff.attributes['baton.executor.id']).toBe(owner?.id);
    expect(again.links).toMatchObject([{ traceId: caller.trace, spanId: cutOff.spanId }]);
    expect(again.attributes['baton.executor.id']).not.toBe(owner?.id);
    const ended = events.find((event) => event.type === 'OperatorCompleted' && event.data.path === 'middle');
    if (ended?.type !== 'OperatorCompleted') throw new Error('middle did not complete');
    expect([ms(again.startTimeUnixNano), ms(again.endTimeUnixNano)]).toEqual(
      [ended.data.startedAt, ended.data.endedAt].map((time) => Date.parse(time ?? '')),
    );
    expect(one(spans, 'note#1').name).toBe('set note');
  });

  it('continues in a child process and in a script', async () => {
    const { id } = await client.request({ definition: 'e2e/traced-parent', inputs: { target: target.url } });
    const spans = await wholeTrace(id);
    const work = one(spans, 'work#1');
    const events = await eventsOf(client, id);
    const ended = events.find((event) => event.type === 'ChildEnded');
    if (ended?.type !== 'ChildEnded') throw new Error('no child ended');
    const child = one(await wholeTrace(ended.data.child), 'process e2e/traced');
    expect([child.traceId, child.parentSpanId]).toEqual([work.traceId, work.spanId]);
    expect(work.attributes['baton.operator.waits_for']).toBe('child');
    expect(work.events.map(({ name }) => name)).toContain('process.child-ended');
    const script = one(spans, 'script#1');
    const { operators } = await client.process(id);
    expect(operators.find(({ path }) => path === 'script')?.output).toMatchObject({
      stdout: `00-${script.traceId}-${script.spanId}-01`,
    });
  });

  it('is not exported when the caller did not sample it, and says so to whom it calls', async () => {
    const traceparent = `00-${caller.trace}-${caller.span}-00`;
    const { id } = await client.request({ definition: 'e2e/traced', inputs: inputs() }, { traceparent });
    await client.waitForEnd(id);
    const { id: later } = await client.request({ definition: 'e2e/traced', inputs: inputs() });
    await wholeTrace(later);
    expect(receiver.of(id)).toEqual([]);
    const carried = target.entries().filter(({ process }) => process === id);
    expect(carried.length).toBe(3);
    expect(carried.every((effect) => effect.traceparent.endsWith('-00'))).toBe(true);
  });

  it('ignores a traceparent that is none', async () => {
    const traceparent = `00-${'0'.repeat(32)}-${caller.span}-01`;
    const { id } = await client.request({ definition: 'e2e/traced', inputs: inputs() }, { traceparent });
    const spans = await wholeTrace(id);
    expect(one(spans, 'process e2e/traced').parentSpanId).toBe('');
  });

  it('loses nothing while the collector is away', async () => {
    await receiver.goAway();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { id } = await client.request({ definition: 'e2e/traced', inputs: inputs() });
      ids.push(id);
      await client.waitForEnd(id);
    }
    await receiver.comeBack();
    for (const id of ids) await wholeTrace(id);
  });

  it('loses nothing when the exporter is killed before the collector has answered; what it repeats has the same ids', async () => {
    const { pids } = baton.told();
    const kill = new Promise<void>((resolve) => {
      receiver.beforeAnswer = () => {
        receiver.beforeAnswer = () => Promise.resolve();
        resolve(baton.replace(pids.scheduler ?? 0, 'SIGKILL').then(() => undefined));
        return new Promise(() => undefined);
      };
    });
    const { id } = await client.request({ definition: 'e2e/traced', inputs: inputs() });
    await kill;
    await client.waitForEnd(id);
    await receiver.wholeTrace(id);
    const byId = new Map<string, ReceivedSpan[]>();
    for (const span of receiver.of(id)) byId.set(span.spanId, [...(byId.get(span.spanId) ?? []), span]);
    const attempts = [...byId.values()].flatMap(([span]) => (span && isAttempt(span) ? [keyOf(span)] : []));
    expect(attempts.sort()).toEqual(attemptsIn(await eventsOf(client, id)));
    for (const repeated of byId.values()) for (const span of repeated) expect(span).toEqual(repeated[0]);
  });

  it('holds nothing of what went in or came out', () => {
    const all = JSON.stringify(receiver.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(all).not.toContain(target.url);
    expect(all).toContain('e2e/traced');
  });
});

it('every service pushes its metrics, each instance under an id of its own', async () => {
  const own = {
    'baton-executor': 'baton.append.commits',
    'baton-intake': 'http.server.request.duration',
    'baton-scheduler': 'baton.queue.depth',
  };
  for (const [service, metric] of Object.entries(own))
    await receiver.until(() => receiver.pushed.get(service)?.names.has(metric));
  expect(new Set(receiver.pushed.keys())).toEqual(new Set(Object.keys(own)));
  // Under one id they would overwrite each other's figures.
  const instances = await receiver.until(() => {
    const ids = receiver.pushed.get('baton-executor')?.instances;
    return ids !== undefined && ids.size >= 2 && [...ids];
  });
  for (const id of instances) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
