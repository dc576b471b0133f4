import { createTraceState, diag, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { resourceOf } from '../resource.js';
import type { SpanRecord } from './span.record.js';
import type { TraceSettings } from './trace.settings.js';

/** What the collector said. `refused`: it will never take these; `away`: it may take them later. */
export type SendResult = { status: 'taken' } | { status: 'refused' | 'away'; reason: string };

export interface SpanSender {
  send(spans: readonly SpanRecord[]): Promise<SendResult>;
  close(): Promise<void>;
}

const scope = { name: 'baton' };

/** Over OTLP, as the standard variables say (endpoint, headers, timeout, compression, certificates). */
export function otlpSpanSender(settings: Pick<TraceSettings, 'protocol'>): SpanSender {
  const exporter = settings.protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const resource = resourceOf('baton');
  return {
    send: (spans) =>
      new Promise((resolve) => {
        exporter.export(
          spans.map((span) => readableSpan(span, resource)),
          ({ code, error }) => resolve(code === ExportResultCode.SUCCESS ? { status: 'taken' } : failureOf(error)),
        );
      }),
    close: () => exporter.shutdown(),
  };
}

/** 400: not understood, 413: too long. Everything else may be over tomorrow, also a wrong path or token. */
function failureOf(error: (Error & { code?: unknown }) | undefined): SendResult {
  const code = typeof error?.code === 'number' ? ` (HTTP ${error.code})` : '';
  const reason = `${error?.message || error?.name || 'no reason was given'}${code}`;
  const refused = error?.code === 400 || error?.code === 413;
  return { status: refused ? 'refused' : 'away', reason };
}

/** The collector took a batch and dropped some of it: said once per answer. */
export function onPartialSuccess(tell: (text: string) => void): void {
  const quiet = (): void => undefined;
  const warn = (...words: unknown[]): void => tell(words.map(String).join(' '));
  diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet });
}

const kinds = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export function readableSpan(span: SpanRecord, resource: Resource): ReadableSpan {
  const { traceId, parentSpanId } = span;
  const traceFlags = TraceFlags.SAMPLED;
  const traceState = span.tracestate === undefined ? {} : { traceState: createTraceState(span.tracestate) };
  const context = { traceId, spanId: span.spanId, traceFlags, ...traceState };
  const parent =
    parentSpanId === undefined
      ? {}
      : {
          parentSpanContext: { traceId, spanId: parentSpanId, traceFlags, isRemote: span.parentIsRemote === true },
        };
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...parent,
    startTime: hrTime(span.startedAt),
    endTime: hrTime(span.endedAt),
    duration: hrTime(span.endedAt - span.startedAt),
    ended: true,
    status:
      span.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes,
    links: span.links.map(({ spanId, attributes }) => ({ context: { traceId, spanId, traceFlags }, attributes })),
    events: span.events.map(({ name, at, attributes }) => ({ name, time: hrTime(at), attributes })),
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0,
  };
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
