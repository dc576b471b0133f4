import { type EventAttributes, headersOf } from './kafka-record.js';

/** Where the texts of one event go in the headers of all that differ from it in nothing else. */
export interface HeaderTemplate {
  bytes: Uint8Array;
  id: number;
  subject: number;
  time: number;
  sequence: number;
  partitionkey: number;
  /** As the CloudEvents extension and as W3C's header; -1: without a trace. */
  traceparent: [extension: number, w3c: number];
}

const idLength = 36;
const timeLength = 24;
const traceLength = 55;
const mostSequence = 9_999_999_999;
const mostSubject = 60;
/** As many types of events, versions, sources and lengths of subjects as there may be; a guard, no more. */
const mostTemplates = 1_000;

/**
 * The headers of an event as bytes with holes: ten of eleven headers are constant, or of constant length, so that they
 * are copied in one go instead of being written and measured one by one: a record costs a third.
 * Boundary: made by `encode` from the headers themselves, so that what they are is written in one place.
 */
export class HeaderTemplates {
  readonly #known = new Map<string, (HeaderTemplate & { of: EventAttributes })[]>();
  #count = 0;

  constructor(private readonly encode: (headers: Record<string, string>) => Uint8Array) {}

  /** null: the event is none of those that templates are for. */
  of(attributes: EventAttributes): HeaderTemplate | null {
    const { type, schemaVersion, source, subject, traceparent } = attributes;
    const known = this.#known.get(type);
    if (known)
      for (const template of known)
        if (
          template.of.schemaVersion === schemaVersion &&
          template.of.subject.length === subject.length &&
          (template.of.traceparent === undefined) === (traceparent === undefined) &&
          template.of.source === source
        )
          return fits(attributes) ? template : null;
    if (!fits(attributes) || this.#count >= mostTemplates) return null;
    const made = this.#make(attributes);
    this.#count += 1;
    this.#known.set(type, [...(known ?? []), made]);
    return made;
  }

  #make(attributes: EventAttributes): HeaderTemplate & { of: EventAttributes } {
    const { subject, traceparent } = attributes;
    // Letters that no header has show where the holes are.
    const of: EventAttributes = {
      ...attributes,
      id: '\u0001'.repeat(idLength),
      subject: '\u0002'.repeat(subject.length),
      time: '\u0003'.repeat(timeLength),
      sequence: mostSequence,
      ...(traceparent === undefined ? {} : { traceparent: '\u0004'.repeat(traceLength) }),
    };
    const bytes = Buffer.from(this.encode(headersOf({ attributes: of })));
    const hole = (text: string, after = 0) => bytes.indexOf(text, after);
    const at = hole(of.subject);
    const extension = of.traceparent === undefined ? -1 : hole(of.traceparent);
    return {
      of,
      bytes,
      id: hole(of.id),
      subject: at,
      time: hole(of.time),
      sequence: hole(String(mostSequence), hole('ce_sequence')),
      partitionkey: hole(of.subject, at + subject.length),
      traceparent: [extension, of.traceparent === undefined ? -1 : hole(of.traceparent, extension + traceLength)],
    };
  }
}

function fits({ id, subject, time, sequence, traceparent }: EventAttributes): boolean {
  return (
    id.length === idLength &&
    time.length === timeLength &&
    sequence <= mostSequence &&
    sequence >= 0 &&
    subject.length > 0 &&
    subject.length <= mostSubject &&
    (traceparent === undefined || traceparent.length === traceLength)
  );
}
