import { describe, expect, it } from 'vitest';
import { outgoingTraceparent, readTraceSettings } from './trace.settings.js';
import {
  attemptSpanId,
  formatTraceparent,
  parseTraceparent,
  parseTracestate,
  processSpanId,
  traceIdOf,
} from './trace-context.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read as W3C says', () => {
    const context = { traceId: trace, spanId: span, sampled: true };
    expect(parseTraceparent(`00-${trace}-${span}-01`)).toEqual(context);
    expect(parseTraceparent(`cc-${trace}-${span}-03-what-comes-later`)).toEqual(context);
    expect(parseTraceparent(`00-${trace}-${span}-00`)).toEqual({ ...context, sampled: false });
    expect(formatTraceparent(context)).toBe(`00-${trace}-${span}-01`);
  });

  it.each([
    undefined,
    '',
    'nonsense',
    `00-${trace}-${span}`,
    `00-${trace}-${span}-01-more`,
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
  ])('is none: %s', (header) => {
    expect(parseTraceparent(header)).toBeNull();
  });

  it('tracestate is passed on as it came, or not at all', () => {
    expect(parseTracestate('rojo=00f067aa0ba902b7, congo=t61rcWkgMzE')).toBe('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE');
    for (const header of [undefined, '', 'a', 'a=1,a=2', 'A=1', `a=${'x'.repeat(300)}`, 'a=1\r\nb=2'])
      expect(parseTracestate(header), header).toBeNull();
  });
});

describe('what leaves the house', () => {
  const process = { id: 'c1-x', traceparent: null };
  const on = readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
  const off = readTraceSettings({});

  it('carries the span that will be exported', () => {
    const own = attemptSpanId('c1-x', 'a', 2);
    expect(outgoingTraceparent(on, process, 'a', 2)).toBe(`00-${traceIdOf('c1-x')}-${own}-01`);
    const incoming = { ...process, traceparent: `00-${trace}-${span}-00` };
    expect(outgoingTraceparent(on, incoming, 'a', 2)).toBe(`00-${trace}-${own}-00`);
  });

  it('carries the caller’s context when nothing is exported: no parent that never comes', () => {
    expect(outgoingTraceparent(off, process, 'a', 1)).toBeUndefined();
    const incoming = { ...process, traceparent: `00-${trace}-${span}-01` };
    expect(outgoingTraceparent(off, incoming, 'a', 1)).toBe(incoming.traceparent);
  });
});

it('no two attempts have the same id: of a process, of its neighbours, of paths that differ in one letter', () => {
  const ids = new Set<string>();
  for (let process = 0; process < 20; process++) {
    ids.add(processSpanId(`c1-${process}`)).add(processSpanId(`c1-${process}`, 2));
    for (let path = 0; path < 500; path++)
      for (let attempt = 1; attempt <= 10; attempt++)
        ids.add(attemptSpanId(`c1-${process}`, path % 2 === 0 ? `loop[${path}]/a` : `${path}`, attempt));
  }
  expect(ids.size).toBe(20 * (2 + 5_000));
  expect([...ids].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
});

it('ids follow from process, path and attempt alone, also after thousands of other processes', () => {
  const before = [traceIdOf('c1-x'), processSpanId('c1-x'), processSpanId('c1-x', 2), attemptSpanId('c1-x', 'a', 1)];
  for (let n = 0; n < 20_000; n++) traceIdOf(`c1-${n}`);
  const after = [traceIdOf('c1-x'), processSpanId('c1-x'), processSpanId('c1-x', 2), attemptSpanId('c1-x', 'a', 1)];
  expect(after).toEqual(before);
  // Services of different versions must agree on them.
  expect(before).toEqual([
    '7f63882053671b92693db6b1e1fa70fe',
    '04259c6a138042aa',
    'd59e29c0fd4434e5',
    '59001bd78a15ca85',
  ]);
});

describe('settings', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  it('are those of OpenTelemetry', () => {
    expect(readTraceSettings({}).exported).toBe(false);
    expect(readTraceSettings(endpoint)).toMatchObject({ exported: true, protocol: 'http/protobuf' });
    expect(readTraceSettings({ OTEL_TRACES_EXPORTER: 'otlp' }).exported).toBe(true);
    expect(readTraceSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }).exported).toBe(false);
    expect(readTraceSettings({ ...endpoint, OTEL_SDK_DISABLED: 'true' }).exported).toBe(false);
    expect(readTraceSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' }).exported).toBe(true);
    expect(readTraceSettings({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }).protocol).toBe('http/json');
  });

  it('a share of the traces is sampled, the same ones everywhere', () => {
    const { sampler } = readTraceSettings({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' });
    const sampled = Array.from({ length: 4_000 }, (_, n) => traceIdOf(`c1-${n}`)).filter(sampler);
    expect(sampled.length).toBeGreaterThan(850);
    expect(sampled.length).toBeLessThan(1_150);
    expect(sampled.every(sampler)).toBe(true);
    expect(readTraceSettings({ OTEL_TRACES_SAMPLER: 'always_off' }).sampler(trace)).toBe(false);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not spoken/],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /OTEL_TRACES_EXPORTER: "zipkin" is not known/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, /OTEL_EXPORTER_OTLP_ENDPOINT: "collector" is no URL/],
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, /OTEL_TRACES_SAMPLER: "jaeger_remote" is not known/],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, /between 0 and 1/],
  ])('a wrong one is named: %j', (environment, message) => {
    expect(() => readTraceSettings(environment)).toThrow(message);
  });
});
