import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { cloudEventType, deadLetterHeaders, isLifecycleEvent } from '../index.js';
import { publicEvents } from './public-events.js';

const reference = new URL('../../../../docs/reference/events.md', import.meta.url);
const page = readFileSync(reference, 'utf8');

interface Row {
  lifecycle: boolean;
  fields: string[];
}
const rows = new Map<string, Row>();
for (const line of page.split('\n').filter((one) => one.startsWith('| [`'))) {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  const told = (cells.at(-1) ?? '').replaceAll(/\([^)]*\)/g, '');
  const fields = [...told.matchAll(/`(\w+)(?: \{[^}]*\})?(\?)?/g)].map(
    ([, name, optional = '']) => `${name}${optional}`,
  );
  for (const [, name, file] of (cells[0] ?? '').matchAll(/\[`(\w+)`\]\(([^)]+)\)/g)) {
    expect(file).toBe(`events/${cloudEventType(name!)}.json`);
    expect(existsSync(new URL(file!, reference))).toBe(true);
    rows.set(name!, { lifecycle: cells.some((cell) => cell.trim() === '●'), fields });
  }
}

it.each(Object.entries(publicEvents))('docs/reference/events.md lists %s with all its fields', (name, event) => {
  // What is told of all outcome events at once.
  const shape = Object.entries((event.schema as z.ZodObject).shape).filter(([field]) => field !== 'held');
  const isOptional = (schema: unknown) => schema instanceof z.ZodOptional;
  expect(rows.get(name)?.fields.toSorted()).toEqual(
    shape.map(([field, schema]) => `${field}${isOptional(schema) ? '?' : ''}`).toSorted(),
  );
  expect(rows.get(name)?.lifecycle).toBe(isLifecycleEvent(name));
});

it('it lists no event that there is not, and every header of a dead letter', () => {
  expect([...rows.keys()].filter((name) => !(name in publicEvents))).toEqual([]);
  expect(Object.values(deadLetterHeaders).filter((header) => !page.includes(`\`${header}\``))).toEqual([]);
});
