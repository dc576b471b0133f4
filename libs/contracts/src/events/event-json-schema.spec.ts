import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { cloudEventType } from '../cloud-events/process-events.js';
import type { JsonRecord } from '../common.schemas.js';
import { eventJsonSchema } from './event-json-schema.js';
import { publicEvents } from './public-events.js';
import { bareSchema, brokenPromises } from './schema-changes.spec-helper.js';

const names = Object.keys(publicEvents);
const published = new URL('../../../../docs/reference/events/', import.meta.url);
const released = new URL('../../../../test/golden/event-schemas.json', import.meta.url);

it.each(names)('the committed schema of %s is the one that the code describes', async (name) => {
  // Stale: `npx vitest run libs/contracts -u` writes it again.
  const text = `${JSON.stringify(eventJsonSchema(name), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`../../../../docs/reference/events/${cloudEventType(name)}.json`);
});

it('no schema is committed of an event that there is not', () => {
  expect(readdirSync(published).toSorted()).toEqual(names.map((name) => `${cloudEventType(name)}.json`).toSorted());
});

it.each(names)('the schema of %s is one by JSON Schema 2020-12, and its example fits', (name) => {
  const ajv = new Ajv2020({ strictSchema: true, keywords: ['x-known-values'] });
  ajvFormats.default(ajv);
  const fits = ajv.compile(eventJsonSchema(name));
  expect(fits(publicEvents[name]?.example), JSON.stringify(fits.errors)).toBe(true);
});

it('a known value or kind of tomorrow is no fault, a wrong shape of a known one is', () => {
  const ajv = new Ajv2020({ keywords: ['x-known-values'] });
  ajvFormats.default(ajv);
  const fits = ajv.compile(eventJsonSchema('OperatorStarted'));
  const started = { path: 'a', type: 'http', class: 'tomorrow', attempt: 1, executor: 'e' };
  expect(fits({ ...started, waitsFor: { kind: 'moon' }, added: 1 })).toBe(true);
  expect(fits({ ...started, waitsFor: { kind: 'lock' } })).toBe(false);
  expect(fits({ ...started, attempt: 0 })).toBe(false);
});

describe('within .v1 schemas only grow', () => {
  const now = Object.fromEntries(names.map((name) => [cloudEventType(name), bareSchema(eventJsonSchema(name))]));

  it('nothing that was released is gone or changed', async () => {
    const before = JSON.parse(readFileSync(released, 'utf8')) as JsonRecord;
    expect(Object.entries(before).flatMap(([type, schema]) => brokenPromises(schema, now[type], type))).toEqual([]);
    // Only additions come this far: `npx vitest run libs/contracts -u` takes them into what is promised.
    await expect(`${JSON.stringify(now, null, 1)}\n`).toMatchFileSnapshot('../../../../test/golden/event-schemas.json');
  });

  type Planted = { properties: Record<string, JsonRecord>; required: string[]; $defs: Record<string, JsonRecord> };
  const plants: [string, (schema: Planted) => void, string | null][] = [
    ['a field is removed', (schema) => delete schema.properties['path'], 'removed'],
    ['a field gets another type', (schema) => (schema.properties['attempt'] = { type: 'string' }), 'became'],
    ['a field gets a bound', (schema) => (schema.properties['path'] = { type: 'string', maxLength: 9 }), 'was added'],
    ['a field may be missing', (schema) => (schema.required = schema.required.slice(1)), 'may be missing now'],
    ['a field must be there', (schema) => schema.required.push('startedAt'), 'is required now'],
    [
      'a known value is removed',
      (schema) => (schema.properties['class'] = { type: 'string', 'x-known-values': ['inline'] }),
      'was removed',
    ],
    [
      'a known value is added',
      ({ properties }) => (properties['class']!['x-known-values'] = ['inline', 'effect', 'waiting', 'dreaming']),
      null,
    ],
    ['a choice is closed', (schema) => (schema.properties['class'] = { enum: ['inline'] }), 'was added'],
    [
      'a variant loses a field',
      ({ $defs }) => ($defs['WaitsFor']!['allOf'] = ($defs['WaitsFor']!['allOf'] as []).slice(1)),
      'became',
    ],
    ['a field is added', (schema) => (schema.properties['more'] = { type: 'string' }), null],
  ];
  it.each(plants)('when %s, that is told', (_, plant, finding) => {
    const schema = JSON.parse(JSON.stringify(now['baton.process.operator-started.v1'])) as Planted & JsonRecord;
    plant(schema);
    const broken = brokenPromises(now['baton.process.operator-started.v1']!, schema);
    if (finding === null) expect(broken).toEqual([]);
    else expect(broken.join('\n')).toContain(finding);
  });
});
