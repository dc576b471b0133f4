import type { JsonRecord, JsonValue } from '../common.schemas.js';

const annotations = new Set(['title', 'description', 'examples', '$id', '$schema']);

/**
 * What a published schema no longer says, or says otherwise: what breaks those who rely on `.v1`. Allowed are new
 * fields that may be missing, new known values and new variants. Both directions break: consumers rely on what was
 * said, and events of before stay in the log and on the topics.
 */
export function brokenPromises(before: JsonValue, now: JsonValue | undefined, at = ''): string[] {
  if (now === undefined) return [`${at || '/'}: removed`];
  if (!isRecord(before) || !isRecord(now))
    return same(before, now) ? [] : [`${at}: ${told(before)} became ${told(now)}`];
  const broken: string[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (annotations.has(key)) continue;
    broken.push(...keyword(key, before[key], now[key], `${at}/${key}`));
  }
  return broken;
}

function keyword(key: string, before: JsonValue | undefined, now: JsonValue | undefined, at: string): string[] {
  if (key === 'properties' || key === '$defs') return named(before, now, at);
  if (key === 'required') {
    const [was, is] = [list(before), list(now)];
    return [
      ...was.filter((name) => !is.includes(name)).map((name) => `${at}: ${told(name)} may be missing now`),
      ...is.filter((name) => !was.includes(name)).map((name) => `${at}: ${told(name)} is required now`),
    ];
  }
  if (key === 'x-known-values') return removed(before, now, at);
  if (key === 'allOf') {
    // Variants of an open union stand in the order in which they came; new ones follow.
    const is = list(now);
    return list(before).flatMap((variant, index) => brokenPromises(variant, is[index], `${at}/${index}`));
  }
  if (before === undefined) return [`${at}: ${told(now ?? null)} was added`];
  if (Array.isArray(before) && Array.isArray(now) && before.length === now.length)
    return before.flatMap((one, index) => brokenPromises(one, now[index], `${at}/${index}`));
  return brokenPromises(before, now, at);
}

function named(before: JsonValue | undefined, now: JsonValue | undefined, at: string): string[] {
  const is = isRecord(now) ? now : {};
  return Object.entries(isRecord(before) ? before : {}).flatMap(([name, was]) =>
    brokenPromises(was, is[name], `${at}/${name}`),
  );
}

function removed(before: JsonValue | undefined, now: JsonValue | undefined, at: string): string[] {
  if (before === undefined) return [`${at}: what was any text is a choice now`];
  const is = list(now);
  return list(before)
    .filter((value) => !is.includes(value))
    .map((value) => `${at}: ${told(value)} was removed`);
}

/** The schema without what only people read. */
export function bareSchema(node: JsonValue): JsonValue {
  if (Array.isArray(node)) return node.map(bareSchema);
  if (!isRecord(node)) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => {
      if (key === 'properties' || key === '$defs')
        return [
          [key, Object.fromEntries(Object.entries(value as JsonRecord).map(([name, one]) => [name, bareSchema(one)]))],
        ];
      return annotations.has(key) ? [] : [[key, bareSchema(value)]];
    }),
  );
}

function isRecord(value: JsonValue | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
const list = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);
const told = (value: JsonValue) => JSON.stringify(value);
const same = (one: JsonValue, other: JsonValue) => told(one) === told(other);
