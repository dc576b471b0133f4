import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDefinition } from '../definition/definition-text.js';
import type { Json, JsonObject } from '../json.types.js';
import { compile } from './compile.js';

const text = readFileSync(new URL('../../../../examples/secret-rotation/process.yaml', import.meta.url), 'utf8');
const whole = readFileSync(new URL('../../../../examples/tenant-provisioning/process.yaml', import.meta.url), 'utf8');

function sourceOf(yaml: string): JsonObject {
  const parsed = parseDefinition(yaml);
  if ('faults' in parsed) throw new Error('an example has faults');
  return parsed.value;
}
const sources = [sourceOf(text), sourceOf(whole)];

/** The value with the n-th of its places, counted in depth, replaced. */
function replaced(value: Json, place: { left: number }, by: Json): Json {
  if (place.left-- === 0) return by;
  if (Array.isArray(value)) return value.map((item) => replaced(item, place, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, place, by)]));
}

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<Json>(
    null,
    [],
    {},
    '',
    '${{',
    '${{ }}',
    '${{ secrets }}',
    '${{ operators[inputs.x].y }}',
    { type: 'group' },
    { type: 'set', forEach: 5 },
    'a.b.c',
    1e300,
  ),
);

it('whatever stands in a definition, it is compiled or its faults are told', () => {
  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.nat({ max: 120 }), strange, (source, left, by) => {
      const result = compile(JSON.stringify(replaced(source, { left }, by as Json)), { version: 1 });
      const faults = 'faults' in result ? result.faults : result.warnings;
      for (const fault of faults)
        expect([fault.line > 0, fault.message !== '', fault.remedy !== '']).toEqual([true, true, true]);
    }),
    { numRuns: 150 },
  );
});

it('whatever the text is, it is compiled or its faults are told', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (any) => void compile(any, { version: 1 })),
    { numRuns: 150 },
  );
});
