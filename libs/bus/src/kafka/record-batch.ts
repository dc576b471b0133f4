import { crc32c } from './crc32c.js';
import { type HeaderTemplate, HeaderTemplates } from './header-template.js';
import { type EventAttributes, type EventRecord, headersOf } from './kafka-record.js';

/** Of a batch before its records: offset, length, epoch, magic, CRC, attributes, counts, times, producer. */
const headBytes = 61;
const crcAt = 17;
/** From here on the CRC counts. */
const attributesAt = 21;
const firstBytes = 64 * 1024;
/** More than all varints of a record and its fixed bytes. */
const slackBytes = 256;

/**
 * Job: the bytes of a batch of records for one partition (Kafka's record batch, magic 2, not compressed), written once
 * and in place: kafkajs makes objects and buffers of its own of each field, two thirds of what publishing cost.
 * Boundary: one batch at a time; its bytes hold until `begin` is called again. A test holds it equal to kafkajs.
 */
export class RecordBatch {
  #bytes = Buffer.allocUnsafe(firstBytes);
  #at = headBytes;
  #firstTimestamp = 0;
  #maxTimestamp = 0;
  #count = 0;
  #lastId = '';

  begin(): void {
    this.#at = headBytes;
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }
  get size(): number {
    return this.#at;
  }
  /** The id of the event that was added last. */
  get lastId(): string {
    return this.#lastId;
  }

  add(record: EventRecord): void {
    const { attributes, value, timestamp } = record;
    const { subject } = attributes;
    if (this.#count === 0) this.#firstTimestamp = this.#maxTimestamp = timestamp;
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    this.#ensure(slackBytes + 3 * (subject.length + value.length));
    // The length stands before what it measures: two bytes are left for it, as nearly all records need, and what
    // follows is moved where it needs another number.
    const start = this.#at;
    this.#at = start + 2;
    this.#bytes[this.#at++] = 0;
    this.#varint(timestamp - this.#firstTimestamp);
    this.#varint(this.#count);
    this.#text(subject);
    this.#text(value);
    const template = record.dataref === undefined ? templates.of(attributes) : null;
    if (!template || !this.#filled(template, attributes)) this.#headers(headersOf(record));
    this.#measure(start, 2);
    this.#count += 1;
    this.#lastId = attributes.id;
  }

  /** The headers alone, as they stand in a record. */
  encodeHeaders(headers: Record<string, string>): Uint8Array {
    this.begin();
    this.#headers(headers);
    return Uint8Array.from(this.#bytes.subarray(headBytes, this.#at));
  }

  /** The whole batch; not idempotent: the publisher's order rests on one request under way. */
  finish(): Buffer {
    const bytes = this.#bytes;
    const end = this.#at;
    bytes.fill(0, 0, 12);
    bytes.writeInt32BE(end - 12, 8);
    bytes.writeInt32BE(0, 12);
    bytes[16] = 2;
    bytes.writeInt16BE(0, attributesAt);
    bytes.writeInt32BE(this.#count - 1, 23);
    writeInt64(bytes, this.#firstTimestamp, 27);
    writeInt64(bytes, this.#maxTimestamp, 35);
    bytes.fill(0xff, 43, 51);
    bytes.fill(0, 51, 57);
    bytes.writeInt32BE(this.#count, 57);
    bytes.writeUInt32BE(crc32c(bytes, attributesAt, end), crcAt);
    return bytes.subarray(0, end);
  }

  #ensure(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #headers(headers: Record<string, string>): void {
    const names = Object.keys(headers);
    let most = slackBytes;
    for (const name of names) most += 3 * (name.length + headers[name]!.length) + 10;
    this.#ensure(most);
    this.#varint(names.length);
    for (const name of names) {
      this.#text(name);
      this.#text(headers[name]!);
    }
  }

  /** The headers by their template; false: a text is not what the template has room for, and nothing is added. */
  #filled(template: HeaderTemplate, { id, subject, time, sequence, traceparent }: EventAttributes): boolean {
    const { length } = template.bytes;
    this.#ensure(length);
    const bytes = this.#bytes;
    const at = this.#at;
    bytes.set(template.bytes, at);
    let isAscii = this.#ascii(id, at + template.id) && this.#ascii(time, at + template.time);
    isAscii &&= this.#ascii(subject, at + template.subject) && this.#ascii(subject, at + template.partitionkey);
    if (traceparent !== undefined)
      for (const hole of template.traceparent) isAscii &&= this.#ascii(traceparent, at + hole);
    if (!isAscii) return false;
    let rest = sequence;
    for (let digit = at + template.sequence + 9; digit >= at + template.sequence; digit -= 1) {
      bytes[digit] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#at = at + length;
    return true;
  }

  #text(text: string): void {
    const start = this.#at;
    const { length } = text;
    const room = sizeOf(2 * length);
    this.#at = start + room;
    const bytes = this.#bytes;
    if (length < 48 && this.#ascii(text, this.#at)) this.#at += length;
    else this.#at += bytes.write(text, this.#at);
    this.#measure(start, room);
  }

  /** Short texts are written faster here than by a call into the runtime; false: there is another letter. */
  #ascii(text: string, at: number): boolean {
    const bytes = this.#bytes;
    for (let n = 0; n < text.length; n += 1) {
      const letter = text.charCodeAt(n);
      if (letter > 127) return false;
      bytes[at + n] = letter;
    }
    return true;
  }

  /** Writes how long what stands behind it is, with `room` bytes left for that. */
  #measure(start: number, room: number): void {
    const length = this.#at - start - room;
    const needed = sizeOf(2 * length);
    if (needed !== room) {
      this.#bytes.copyWithin(start + needed, start + room, this.#at);
    }
    this.#at = start;
    this.#varint(length);
    this.#at = start + needed + length;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 0x7f) {
      bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[this.#at++] = rest;
  }
}

/** Common to all batches. */
const templates = new HeaderTemplates((headers) => new RecordBatch().encodeHeaders(headers));

/** Bytes of a varint, its sign already in. */
function sizeOf(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  if (value < 2_097_152) return 3;
  return value < 268_435_456 ? 4 : 5;
}

function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / 4_294_967_296), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
