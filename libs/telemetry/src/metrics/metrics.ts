import { randomUUID } from 'node:crypto';
import type { Meter } from '@opentelemetry/api';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { ConfigError } from '../load-config.js';
import { resourceOf } from '../resource.js';
import { isExported, protocolOf } from '../trace/trace.settings.js';

export type { Meter };

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

/** At `/metrics` always, and pushed by OTLP where the standard variables give an endpoint. */
export function createMetrics(
  service: string,
  version = process.env['npm_package_version'] ?? '0',
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Metrics {
  const pushing = isExported(environment, 'METRICS') ? pushReader(environment) : null;
  // Each reader adds up every measurement for itself. What is pushed can be shown at /metrics, too, as long as it is sums
  // since the start; a collector that wants differences gets a reader of its own.
  const reader = pushing !== null && isCumulative(environment) ? pushing : new PullReader();
  const provider = new MeterProvider({
    // Two executors must not overwrite each other's series where all of them arrive.
    resource: resourceOf(
      `baton-${service}`,
      { ...environment, npm_package_version: version },
      { 'service.instance.id': randomUUID() },
    ),
    readers: pushing === null || pushing === reader ? [reader] : [reader, pushing],
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
    // The last figures are pushed if they can be; a collector that is away holds up no end.
    shutdown: () => provider.shutdown().catch(() => undefined),
  };
}

function pushReader(environment: Readonly<Record<string, string | undefined>>): PeriodicExportingMetricReader {
  const exporter = protocolOf(environment, 'METRICS') === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const exportIntervalMillis = milliseconds(environment, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const wanted = milliseconds(environment, 'OTEL_METRIC_EXPORT_TIMEOUT', 30_000);
  const exportTimeoutMillis = Math.min(wanted, exportIntervalMillis);
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis, exportTimeoutMillis });
}

function isCumulative(environment: Readonly<Record<string, string | undefined>>): boolean {
  const preference = environment['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE']?.trim().toLowerCase();
  return preference === undefined || preference === '' || preference === 'cumulative';
}

function milliseconds(
  environment: Readonly<Record<string, string | undefined>>,
  variable: string,
  standard: number,
): number {
  const text = environment[variable]?.trim();
  const value = text ? Number(text) : standard;
  if (Number.isInteger(value) && value > 0) return value;
  throw new ConfigError([{ variable, fault: `"${text}" is no number of milliseconds` }]);
}
