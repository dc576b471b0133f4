import type { TopicRecord } from '@baton/bus';
import type { Json, JsonObject } from '@baton/process';

/** A record as expressions and processes see it. */
export type ReadRecord = { id: string; offset: bigint; key: string | null; record: JsonObject } | { unusable: string };

const longest = 256 * 1024;
const deepest = 64;
const notStorable = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** JSON becomes what it says, other text stays text, bytes that are none are written in base64. */
export function readRecord({ topic, partition, offset, timestamp, key, value, headers }: TopicRecord): ReadRecord {
  const bytes = value === null ? 0 : value.length;
  if (bytes > longest)
    return {
      unusable: `Its value has ${bytes} bytes, of which a process can take ${longest}: send a reference instead.`,
    };
  const number = Number(offset);
  const content = contentOf(value);
  const fault = faultOf(content.value, 0);
  if (fault !== null) return { unusable: fault };
  const text = key === null ? null : textOf(key);
  return {
    // With its time: a topic that was made anew counts its offsets anew.
    id: `${partition}/${offset}@${Date.parse(timestamp)}`,
    offset: BigInt(offset),
    key: text,
    record: {
      key: text,
      ...content,
      headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [storable(name), storable(one)])),
      topic,
      partition,
      offset: Number.isSafeInteger(number) ? number : offset,
      timestamp,
    },
  };
}

function contentOf(value: Buffer | null): { value: Json; encoding: 'json' | 'text' | 'base64' } {
  if (value === null) return { value: null, encoding: 'json' };
  const text = utf8(value);
  if (text === null) return { value: value.toString('base64'), encoding: 'base64' };
  try {
    const exact = /\d{16}|\d[eE]\+?\d{3}/.test(text);
    return { value: storableJson(JSON.parse(text, exact ? keepExact : undefined) as Json), encoding: 'json' };
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    return { value: storable(text), encoding: 'text' };
  }
}

/** JSON.parse rounds what does not fit into a double: such integers stay what they are, as text. */
function keepExact(this: unknown, _key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const source = context.source ?? '';
  if (!Number.isFinite(value)) return source;
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;
}

/** Markers by which Baton's own data names secrets and artifacts are forged, whoever writes them. */
function faultOf(value: Json, depth: number): string | null {
  if (value === null || typeof value !== 'object') return null;
  if (depth >= deepest) return `Its value nests deeper than ${deepest} levels.`;
  for (const [name, part] of Object.entries(value)) {
    if (!Array.isArray(value) && (name === '$secret' || name === '$artifact'))
      return `Its value holds the name "${name}", which only Baton itself may set.`;
    const fault = faultOf(part, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function textOf(bytes: Buffer): string {
  const text = utf8(bytes);
  return text === null ? bytes.toString('base64') : storable(text);
}

/** What PostgreSQL cannot store is written out. */
function storable(text: string): string {
  return text.replace(notStorable, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function storableJson(value: Json): Json {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [storable(name), storableJson(part)]));
}
