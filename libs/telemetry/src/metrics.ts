import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

export type { Counter, Histogram, Meter };

/** Collects when it is asked: `/metrics` is rendered on the service's own port. */
class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {
    // Nothing is buffered: each scrape reads the current values.
  }
  protected override async onShutdown(): Promise<void> {
    // It holds nothing that would have to be closed.
  }
}

export interface Metrics {
  /** Names are `baton.*` with UCUM units; attributes only what is bounded, never ids. */
  meter: Meter;
  /** The Prometheus text of all metrics. */
  render(): Promise<string>;
  /** The media type of that text. */
  contentType: string;
  shutdown(): Promise<void>;
}

export function createMetrics(service: string, version = process.env['npm_package_version'] ?? '0'): Metrics {
  const reader = new PullReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': `baton-${service}`, 'service.version': version }),
    readers: [reader],
  });
  const serializer = new PrometheusSerializer();
  return {
    meter: provider.getMeter('baton'),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    async render() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new AggregateError(errors, 'Not every metric could be read.');
      return serializer.serialize(resourceMetrics);
    },
    shutdown: () => provider.shutdown(),
  };
}
