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
