import { expect, test } from 'vitest';
import { z } from 'zod';
import { environmentBodySchema, processRequestSchema } from '../index.js';
import { fieldErrors } from './field-errors.js';
import { nearestName } from './nearest-name.js';

function errorsOf(schema: z.ZodType, value: unknown) {
  const result = schema.safeParse(value, { reportInput: true });
  return result.success ? [] : fieldErrors(schema, result.error);
}

test('an unknown field is refused with the name that was probably meant', () => {
  expect(errorsOf(processRequestSchema, { definition: 'a', input: {} })).toEqual([
    { path: '/input', message: '"input" is not a field here', remedy: 'did you mean "inputs"?' },
  ]);
});

test('an unknown field that is near to nothing is refused with the names that are known', () => {
  const [error] = errorsOf(processRequestSchema, { definition: 'a', zzzzzz: 1 });
  expect(error?.remedy).toContain('known are: definition, version');
});

test('unknown fields deep in records name their place as a JSON Pointer', () => {
  const body = { connections: { 'app-db': { type: 'postgresql', uri: 'x', url: 'y' } } };
  expect(errorsOf(environmentBodySchema, body)).toEqual([
    { path: '/connections/app-db/uri', message: '"uri" is not a field here', remedy: 'did you mean "url"?' },
  ]);
});

test('a missing field says what to give', () => {
  expect(errorsOf(processRequestSchema, {})).toEqual([
    { path: '/definition', message: 'is missing', remedy: 'give a string' },
  ]);
});

test('all faults are reported at once', () => {
  expect(errorsOf(processRequestSchema, { definition: 5, priority: 12, lables: {} })).toHaveLength(3);
});

test('a name that is far from all known ones suggests nothing', () => {
  expect(nearestName('totally-different', ['inputs', 'labels'])).toBeUndefined();
  expect(nearestName('staing', ['production', 'staging'])).toBe('staging');
});
