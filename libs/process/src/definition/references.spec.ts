import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compileJsonSchema } from '../compile/json-schema-check.js';
import type { JsonObject } from '../json.types.js';
import { builtInOperators } from '../operators/operator-registry.js';
import { parseDefinition } from './definition-text.js';
import { languageSchema } from './language-schema.js';
import { operatorReference } from './operator-reference.js';

/** `UPDATE_REFERENCE=1 npx vitest run libs/process/src/definition` writes them anew. */
it.each([
  ['process.schema.json', () => `${JSON.stringify(languageSchema(builtInOperators), null, 2)}\n`],
  ['operators.md', () => operatorReference(builtInOperators)],
])('docs/reference/%s says what the code does', (name, make) => {
  const file = new URL(`../../../../docs/reference/${name}`, import.meta.url);
  const made = make();
  if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(file, made);
  expect(readFileSync(file, 'utf8')).toBe(made);
});

const validate = compileJsonSchema(languageSchema(builtInOperators));

const example = (name: string): JsonObject => {
  const text = readFileSync(new URL(`../../../../examples/${name}/process.yaml`, import.meta.url), 'utf8');
  const parsed = parseDefinition(text);
  if ('faults' in parsed) throw new Error(parsed.faults[0]?.message);
  return parsed.value;
};

it.each([
  'rolling-release',
  'nightly-maintenance',
  'incident-runbook',
  'blue-green',
  'onboarding',
  'backfill',
  'order-payment',
  'tenant-provisioning',
  'secret-rotation',
])('an editor accepts the example %s, and refuses a field that does not exist', (name) => {
  const definition = example(name);
  expect(validate(definition), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  expect(validate({ ...definition, timeuot: '1h' })).toBe(false);
  expect(validate({ ...definition, operators: { a: { type: 'set', valeu: 1 } } })).toBe(false);
});
