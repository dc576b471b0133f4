const bytesAtFirst = 65_536;

/**
 * Writes one message of Protocol Buffers after the other into one growing buffer, in a single pass: the length of what is
 * inside stands before it, so a byte is left free for it, and what turns out longer than 127 bytes is moved.
 */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(bytesAtFirst);
  #at = 0;

  /** A copy of what was written; the writer begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    return taken;
  }

  /** Begins a message within the present one; `end` wants what this gives. */
  begin(field: number): number {
    this.#room(8);
    this.#tag(field, 2);
    this.#at += 1;
    return this.#at;
  }

  end(start: number): void {
    const length = this.#at - start;
    if (length < 0x80) {
      this.#buffer[start - 1] = length;
      return;
    }
    const more = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.#room(more);
    this.#buffer.copyWithin(start + more, start, this.#at);
    this.#at = start - 1;
    this.#varint(length);
    this.#at = start + more + length;
  }

  text(field: number, value: string): void {
    this.#room(3 * value.length + 8);
    this.#tag(field, 2);
    this.#at += 1;
    const start = this.#at;
    this.#at += this.#write(value);
    this.end(start);
  }

  /** Of hexadecimal digits, as many bytes as half of them. */
  hex(field: number, digits: string): void {
    this.#room(digits.length + 8);
    this.#tag(field, 2);
    this.#varint(digits.length / 2);
    this.#at += this.#buffer.write(digits, this.#at, 'hex');
  }

  /** A whole number from 0 on, up to 2^53. */
  integer(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, 0);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, 1);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  fixed32(field: number, value: number): void {
    this.#room(8);
    this.#tag(field, 5);
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  /** Whole milliseconds as nanoseconds, without big integers: their lower half is multiplied exactly. */
  nanoseconds(field: number, ms: number): void {
    this.#room(16);
    this.#tag(field, 1);
    const lower = (ms % 0x1_0000_0000) * 1e6;
    const upper = Math.floor(ms / 0x1_0000_0000) * 1e6 + Math.floor(lower / 0x1_0000_0000);
    this.#at = this.#buffer.writeUInt32LE(lower % 0x1_0000_0000, this.#at);
    this.#at = this.#buffer.writeUInt32LE(upper % 0x1_0000_0000, this.#at);
  }

  /** Bytes that were written before by such a writer. */
  bytes(written: Uint8Array): void {
    this.#room(written.length);
    this.#buffer.set(written, this.#at);
    this.#at += written.length;
  }

  /** How many bytes it is. Calling into the runtime costs more than the few letters of most texts. */
  #write(value: string): number {
    const { length } = value;
    if (length > 40) return this.#buffer.write(value, this.#at, 'utf8');
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return this.#buffer.write(value, this.#at, 'utf8');
      this.#buffer[this.#at + index] = code;
    }
    return length;
  }

  #tag(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
