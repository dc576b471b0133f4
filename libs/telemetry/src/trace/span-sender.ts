import { createTraceState, diag, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import {
  type IExportTraceServiceResponse,
  type ISerializer,
  JsonTraceSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { resourceOf } from '../resource.js';
import { SpanEncoder } from './span.encoder.js';
import type { SpanRecord } from './span.record.js';
import type { TraceSettings } from './trace.settings.js';

/** What the collector said. `refused`: it will never take these; `away`: it may take them later. */
export type SendResult = { status: 'taken' } | { status: 'refused' | 'away'; reason: string };

export interface SpanSender {
  send(spans: readonly SpanRecord[]): Promise<SendResult>;
  close(): Promise<void>;
}

type Serializer = ISerializer<readonly SpanRecord[], IExportTraceServiceResponse>;

const scope = { name: 'baton' };

/**
 * Over OTLP, as the standard variables say (endpoint, headers, timeout, compression, certificates): the transport is that
 * of OpenTelemetry's SDK, with its retries; only what is sent by default is written by an encoder of our own.
 */
export function otlpSpanSender(settings: Pick<TraceSettings, 'protocol'>): SpanSender {
  const inJson = settings.protocol === 'http/json';
  const resource = resourceOf('baton');
  const headers = { 'Content-Type': inJson ? 'application/json' : 'application/x-protobuf' };
  const exporter = createOtlpHttpExportDelegate(
    convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', headers),
    inJson ? json(resource) : protobuf(resource),
    'otlp_http_span_exporter',
    { name: 'span', countItems: (spans: readonly SpanRecord[]) => spans.length },
    undefined,
  );
  return {
    send: (spans) =>
      new Promise((resolve) => {
        exporter.export(spans, ({ code, error }) =>
          resolve(code === ExportResultCode.SUCCESS ? { status: 'taken' } : failureOf(error)),
        );
      }),
    close: () => exporter.shutdown(),
  };
}

function protobuf(resource: Resource): Serializer {
  const encoder = new SpanEncoder(attributesOf(resource), scope);
  return {
    serializeRequest: (spans) => encoder.encode(spans),
    deserializeResponse: (data) => ProtobufTraceSerializer.deserializeResponse(data),
  };
}

function json(resource: Resource): Serializer {
  return {
    serializeRequest: (spans) =>
      JsonTraceSerializer.serializeRequest(spans.map((span) => readableSpan(span, resource))),
    deserializeResponse: (data) => JsonTraceSerializer.deserializeResponse(data),
  };
}

/** Of a resource that is made of texts alone. */
function attributesOf({ attributes }: Resource): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) if (typeof value === 'string') found[key] = value;
  return found;
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

function readableSpan(span: SpanRecord, resource: Resource): ReadableSpan {
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
