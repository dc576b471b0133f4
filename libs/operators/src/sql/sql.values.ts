import type { Json } from '@baton/process';
import pg from 'pg';
import { parseJson, storableText } from '../shared/storable.js';

const integer = (text: string): Json => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
};
const float = (text: string): Json => {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
};
/** `2026-11-23 21:00:00.123456+00` (the session's zone is UTC) with all its digits: Date would drop the microseconds. */
const instant = (text: string): Json =>
  /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(text) ? text.replace(' ', 'T').replace('+00', 'Z') : text;
const json = (text: string): Json => parseJson(text) ?? storableText(text);
const bytes = (text: string): Json => Buffer.from(text.replace(/^\\x/, ''), 'hex').toString('base64');

/** By type and by the type of its array. What is not listed stays the text that PostgreSQL writes: no digit is lost. */
const scalars: readonly [oid: number, arrayOid: number, parse: (text: string) => Json][] = [
  [16, 1000, (text) => text === 't'],
  [20, 1016, integer],
  [21, 1005, integer],
  [23, 1007, integer],
  [26, 1028, integer],
  [700, 1021, float],
  [701, 1022, float],
  [114, 199, json],
  [3802, 3807, json],
  [17, 1001, bytes],
  [1184, 1185, instant],
];
const textArrays = [1002, 1009, 1014, 1015, 1115, 1182, 1183, 1187, 1231, 1270, 2951];

const parsers = new Map<number, (text: string) => Json>();
for (const [oid, arrayOid, parse] of scalars) {
  parsers.set(oid, parse);
  parsers.set(arrayOid, (text) => listOf(text, parse));
}
for (const oid of textArrays) parsers.set(oid, (text) => listOf(text, storableText));

interface ArrayParser {
  create(text: string, parse: (entry: string | null) => Json): { parse(): Json[] };
}

function listOf(text: string, parse: (entry: string) => Json): Json {
  const { arrayParser } = pg.types as typeof pg.types & { arrayParser: ArrayParser };
  return arrayParser.create(text, (entry) => (entry === null ? null : parse(entry))).parse();
}

/** For a query's `types`: every value as JSON that the log can hold. */
export const jsonTypes = {
  getTypeParser: (oid: number, format?: string) => {
    if (format === 'binary') return (value: Buffer): Json => value.toString('base64');
    return parsers.get(oid) ?? storableText;
  },
};
