import { ProtobufWriter } from './protobuf.writer.js';
import type { SpanRecord } from './span.record.js';

type Attributes = Readonly<Record<string, string | number | readonly string[]>>;

// The numbers are those of opentelemetry/proto: collector/trace/v1/trace_service, trace/v1/trace, common/v1/common.
const kinds = { internal: 1, client: 3, producer: 4, consumer: 5 } as const;
const errorCode = 2;
const sampled = 0x1;
/** It is known whether the parent is another service's (and it is). */
const hasIsRemote = 0x100;
const isRemote = 0x200;

/**
 * The body of an export request, written straight from the spans: the SDK's own way needs an object with a dozen more
 * inside for each, measures all of it and then writes it: with the request 16 µs of CPU a span, in this way 5.
 */
export class SpanEncoder {
  readonly #writer = new ProtobufWriter();
  readonly #resource: Uint8Array;

  constructor(resource: Attributes, scope: { name: string }) {
    const writer = this.#writer;
    const start = writer.begin(1);
    this.#attributes(1, resource);
    writer.end(start);
    this.#resource = writer.take();
    const inner = writer.begin(1);
    writer.text(1, scope.name);
    writer.end(inner);
    this.#scope = writer.take();
  }
  readonly #scope: Uint8Array;

  encode(spans: readonly SpanRecord[]): Uint8Array {
    const writer = this.#writer;
    const resourceSpans = writer.begin(1);
    writer.bytes(this.#resource);
    const scopeSpans = writer.begin(2);
    writer.bytes(this.#scope);
    for (const span of spans) this.#span(span);
    writer.end(scopeSpans);
    writer.end(resourceSpans);
    return writer.take();
  }

  #span(span: SpanRecord): void {
    const writer = this.#writer;
    const start = writer.begin(2);
    writer.hex(1, span.traceId);
    writer.hex(2, span.spanId);
    if (span.tracestate !== undefined) writer.text(3, span.tracestate);
    if (span.parentSpanId !== undefined) writer.hex(4, span.parentSpanId);
    writer.text(5, span.name);
    writer.integer(6, kinds[span.kind]);
    writer.nanoseconds(7, span.startedAt);
    writer.nanoseconds(8, span.endedAt);
    this.#attributes(9, span.attributes);
    for (const event of span.events) {
      const inner = writer.begin(11);
      writer.nanoseconds(1, event.at);
      writer.text(2, event.name);
      this.#attributes(3, event.attributes);
      writer.end(inner);
    }
    if (span.droppedEvents > 0) writer.integer(12, span.droppedEvents);
    for (const link of span.links) {
      const inner = writer.begin(13);
      writer.hex(1, span.traceId);
      writer.hex(2, link.spanId);
      this.#attributes(4, link.attributes);
      writer.fixed32(6, sampled | hasIsRemote);
      writer.end(inner);
    }
    if (span.error !== undefined) {
      const inner = writer.begin(15);
      writer.text(2, span.error);
      writer.integer(3, errorCode);
      writer.end(inner);
    }
    writer.fixed32(16, sampled | hasIsRemote | (span.parentIsRemote === true ? isRemote : 0));
    writer.end(start);
  }

  #attributes(field: number, attributes: Attributes): void {
    const writer = this.#writer;
    for (const key in attributes) {
      const value = attributes[key];
      if (value === undefined) continue;
      const start = writer.begin(field);
      writer.text(1, key);
      const inner = writer.begin(2);
      this.#value(value);
      writer.end(inner);
      writer.end(start);
    }
  }

  /** AnyValue: 1 text, 3 whole number, 4 any number, 5 list. */
  #value(value: string | number | readonly string[]): void {
    const writer = this.#writer;
    if (typeof value === 'string') {
      writer.text(1, value);
    } else if (typeof value === 'number') {
      if (Number.isSafeInteger(value) && value >= 0) writer.integer(3, value);
      else writer.double(4, value);
    } else {
      const start = writer.begin(5);
      for (const text of value) {
        const inner = writer.begin(1);
        writer.text(1, text);
        writer.end(inner);
      }
      writer.end(start);
    }
  }
}
