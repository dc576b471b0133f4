import { OtlpReceiver } from '@baton/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetrics } from '../metrics/metrics.js';
import type { SpanRecord } from './span.record.js';
import { otlpSpanSender } from './span-sender.js';

const span: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  tracestate: 'v=1',
  name: 'http a',
  kind: 'client',
  startedAt: 1_795_000_000_123,
  endedAt: 1_795_000_001_456,
  attributes: { 'baton.process.id': 'c1-x', 'baton.operator.attempt': 2 },
  error: 'connection',
  events: [{ name: 'process.paused', at: 1_795_000_000_200, attributes: { 'baton.operator.waits_for': ['timer a'] } }],
  droppedEvents: 3,
  links: [{ spanId: 'd'.repeat(16), attributes: { 'baton.link': 'taken-over-from' } }],
};

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await OtlpReceiver.start();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.goAway();
});

describe('spans go out over OTLP', () => {
  it.each([
    ['http/protobuf', 'application/x-protobuf'],
    ['http/json', 'application/json'],
  ] as const)(
    '%s: every field arrives, with headers, compression and resource as the variables say',
    async (protocol, type) => {
      vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-tenant=one');
      vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', 'gzip');
      vi.stubEnv('OTEL_SERVICE_NAME', 'orders');
      vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test%20bed');
      const sender = otlpSpanSender({ protocol });
      expect(await sender.send([span])).toEqual({ status: 'taken' });
      await sender.close();
      expect(receiver.spans).toEqual([
        {
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId,
          traceState: 'v=1',
          name: 'http a',
          kind: 3,
          startTimeUnixNano: 1_795_000_000_123_000_000n,
          endTimeUnixNano: 1_795_000_001_456_000_000n,
          attributes: span.attributes,
          status: { code: 2, message: 'connection' },
          droppedEventsCount: 3,
          events: [
            {
              name: 'process.paused',
              timeUnixNano: 1_795_000_000_200_000_000n,
              attributes: { 'baton.operator.waits_for': ['timer a'] },
            },
          ],
          links: [{ traceId: span.traceId, spanId: 'd'.repeat(16), attributes: { 'baton.link': 'taken-over-from' } }],
          service: 'orders',
          resource: expect.objectContaining({ 'deployment.environment.name': 'test bed' }),
        },
      ]);
      expect(receiver.requests).toMatchObject([
        { path: '/v1/traces', type, headers: { 'x-tenant': 'one', 'content-encoding': 'gzip' } },
      ]);
    },
  );

  it('writes what is long, what is not English, what is not whole, and thousands of spans', async () => {
    const long = (length: number): string => 'é'.repeat(length / 2);
    const attributes = {
      short: 'ö',
      long: long(130),
      longer: long(20_000),
      half: 0.5,
      less: -3,
      list: [long(200), ''],
    };
    const event = { name: 'e', at: 1_795_000_000_999, attributes: { text: long(3_000_000) } };
    const odd: SpanRecord = { ...span, name: long(60), attributes, events: [event], droppedEvents: 0, links: [] };
    const { parentSpanId: _, error: __, tracestate: ___, ...root } = odd;
    const sender = otlpSpanSender({ protocol: 'http/protobuf' });
    const many = Array.from({ length: 3_000 }, (_, n) => ({ ...span, spanId: n.toString(16).padStart(16, 'f') }));
    for (const spans of [[odd, root], many, [span]]) expect(await sender.send(spans)).toEqual({ status: 'taken' });
    await sender.close();
    expect(receiver.spans).toHaveLength(3_003);
    expect(receiver.spans.slice(0, 2).map((one) => [one.name, one.parentSpanId, one.attributes, one.events])).toEqual(
      [span.parentSpanId, ''].map((parent) => [
        odd.name,
        parent,
        attributes,
        [{ name: 'e', timeUnixNano: 1_795_000_000_999_000_000n, attributes: event.attributes }],
      ]),
    );
    expect(receiver.spans.slice(2, -1).map(({ spanId }) => spanId)).toEqual(many.map(({ spanId }) => spanId));
  });

  it.each([
    [400, 'refused'],
    [413, 'refused'],
    [401, 'away'],
    [404, 'away'],
    [503, 'away'],
  ])('an answer of %i means that the spans are %s', async (code, status) => {
    // What may be over soon is tried again until the time is up.
    if (code === 503) vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '300');
    receiver.status = code;
    const sender = otlpSpanSender({ protocol: 'http/protobuf' });
    expect(await sender.send([span])).toMatchObject({ status });
    await sender.close();
  });

  it('a collector that is not there, or does not answer, is away', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '300');
    const sender = otlpSpanSender({ protocol: 'http/protobuf' });
    receiver.beforeAnswer = () => new Promise(() => undefined);
    expect(await sender.send([span])).toMatchObject({ status: 'away' });
    await receiver.goAway();
    expect(await sender.send([span])).toMatchObject({ status: 'away' });
    await sender.close();
  });
});

it('metrics are pushed to the same place, with their units', async () => {
  const metrics = createMetrics('executor', '1', {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRIC_EXPORT_INTERVAL: '50',
  });
  metrics.meter.createCounter('baton.append.commits', { unit: '{commit}' }).add(1);
  expect(await receiver.until(() => receiver.metrics.get('baton.append.commits'))).toEqual({
    unit: '{commit}',
    service: 'baton-executor',
  });
  await metrics.shutdown();
});
