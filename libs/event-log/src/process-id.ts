import { randomFillSync } from 'node:crypto';

/** A process id carries its cell: `<cell>-<uuid>`. It is opaque to everybody but the log, which stores the uuid alone. */
export interface ProcessId {
  cell: string;
  uuid: string;
}
const shape = /^([a-z][a-z0-9]{0,15})-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

export function parseProcessId(id: string): ProcessId | null {
  const match = shape.exec(id);
  return match ? { cell: match[1]!, uuid: match[2]! } : null;
}

/** Fetched for 8,000 ids at a time: asking the system for each one was 7 % of an executor's time at full load. */
const random = Buffer.alloc(65_536);
let randomAt = random.length;
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** The next random byte; a bulk is used up byte by byte, and no byte twice. */
function randomByte(): number {
  if (randomAt >= random.length) {
    randomFillSync(random);
    randomAt = 0;
  }
  return random[randomAt++]!;
}
function randomHex(bytes: number): string {
  let text = '';
  for (let n = 0; n < bytes; n += 1) text += hexOf[randomByte()]!;
  return text;
}

let lastMs = 0;
let counter = 0;
/** The first 13 digits with their hyphen: the same for all ids of a millisecond. */
let timeText = '';
let timeTextOf = -1;
/** A UUIDv7 whose order is that of its making within this process: 12 bits of counter behind the millisecond. */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now;
    counter = ((randomByte() << 8) | randomByte()) & 0x7ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  if (timeTextOf !== lastMs) {
    const time = lastMs.toString(16).padStart(12, '0');
    timeText = `${time.slice(0, 8)}-${time.slice(8)}`;
    timeTextOf = lastMs;
  }
  const variant = hexOf[(randomByte() & 0x3f) | 0x80]!;
  return `${timeText}-7${counter.toString(16).padStart(3, '0')}-${variant}${randomHex(1)}-${randomHex(6)}`;
}

export function newProcessId(cell: string, now?: number): string {
  return `${cell}-${uuidv7(now)}`;
}

/** Strips and adds the cell of one database. */
export class CellIds {
  constructor(readonly cell: string) {
    if (!parseProcessId(`${cell}-00000000-0000-7000-8000-000000000000`))
      throw new Error(
        `The cell "${cell}" is not a name: up to 16 lower-case letters and digits, beginning with a letter.`,
      );
  }
  /** null: not an id of this cell, so it cannot be in its log. */
  uuid(id: string): string | null {
    const parsed = parseProcessId(id);
    return parsed && parsed.cell === this.cell ? parsed.uuid : null;
  }
  /** For writers: an id that is not of this cell is a bug. */
  mustUuid(id: string): string {
    const uuid = this.uuid(id);
    if (uuid === null) throw new Error(`"${id}" is not a process id of cell "${this.cell}" (<cell>-<uuid>).`);
    return uuid;
  }
  id(uuid: string): string {
    return `${this.cell}-${uuid}`;
  }
}
