import { hash } from 'node:crypto';

/** Where a span stands: what a `traceparent` header says (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  sampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Null: no valid header. By the rules of W3C an invalid one counts as none, and a later version is read as far as known. */
export function parseTraceparent(header: string | undefined | null): TraceContext | null {
  if (typeof header !== 'string' || header.length > 512) return null;
  const match = pattern.exec(header.trim());
  if (match === null) return null;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const member =
  /^([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}$/;

/** What vendors sent along, to be passed on as it came. Null: none, or not valid as a whole (then it is dropped, by W3C). */
export function parseTracestate(header: string | undefined | null): string | null {
  if (typeof header !== 'string' || header.length > 2048) return null;
  const members = header
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (members.length === 0 || members.length > 32 || !members.every((text) => member.test(text))) return null;
  const keys = new Set(members.map((text) => text.slice(0, text.indexOf('='))));
  return keys.size === members.length ? members.join(',') : null;
}

/** What all ids of a process's spans are made of. */
interface ProcessIds {
  traceId: string;
  spanId: string;
  high: number;
  low: number;
}

const idsOf = new Map<string, ProcessIds>();
const mostKnown = 10_000;

/** One hash for a process; the ids of its spans are mixed from it (a hash for each was 5 % of exporting). */
function ids(processId: string): ProcessIds {
  const known = idsOf.get(processId);
  if (known !== undefined) return known;
  const digest = hash('sha256', processId, 'hex');
  const found = {
    traceId: notZero(digest.slice(0, 32)),
    spanId: notZero(digest.slice(32, 48)),
    high: Number.parseInt(digest.slice(48, 56), 16),
    low: Number.parseInt(digest.slice(56), 16),
  };
  if (idsOf.size >= mostKnown) idsOf.clear();
  idsOf.set(processId, found);
  return found;
}

/** 64 bits of a process's seed, a text and a number, in two lanes that are crossed at the end (as cyrb53 does it). */
function mixed({ high, low }: ProcessIds, text: string, number: number): string {
  let a = Math.imul(high ^ number, 0x9e3779b1);
  let b = Math.imul(low ^ number, 0x5f356495);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return notZero((a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0'));
}

/** No id is all zeros, by W3C. */
const notZero = (digits: string): string => (/^0+$/.test(digits) ? digits.replace(/0$/, '1') : digits);

/** The trace of a process that nobody's trace brought about. */
export const traceIdOf = (processId: string): string => ids(processId).traceId;

/** The process's own span. A process that was opened again after its end has another one for each further run. */
export const processSpanId = (processId: string, run = 1): string =>
  run === 1 ? ids(processId).spanId : mixed(ids(processId), '', run);

/** The span of one attempt: known before it begins, so that what leaves the house can name it as its parent. */
export const attemptSpanId = (processId: string, path: string, attempt: number): string =>
  mixed(ids(processId), path, attempt);

/** Which share of the traces that begin here is recorded. */
export type Sampler = (traceId: string) => boolean;

/** The process's span, as whatever it causes sees it. With an incoming context the process continues that trace. */
export function processContext(processId: string, incoming: TraceContext | null, sampler: Sampler): TraceContext {
  const traceId = incoming?.traceId ?? traceIdOf(processId);
  return { traceId, spanId: processSpanId(processId), sampled: incoming?.sampled ?? sampler(traceId) };
}
