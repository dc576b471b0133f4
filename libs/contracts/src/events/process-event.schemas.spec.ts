import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessEventData } from '@baton/process';
import { expect, expectTypeOf, it } from 'vitest';
import {
  type ProcessEventPayload,
  processEventMeanings,
  processEventNames,
  processEventSchemas,
} from './process-event.schemas.js';

type Schemas = { [T in keyof typeof processEventSchemas]: ProcessEventPayload<T> };

it('the compiler finds the schemas and the types of the code to say the same, in both directions', () => {
  // `npm run types` is the test: a field that is missing, added, optional or of another type on one side is an error.
  expectTypeOf<Schemas>().toEqualTypeOf<ProcessEventData>();
  expect(Object.keys(processEventMeanings)).toEqual(processEventNames);
});

const folder = new URL('../../../../test/golden/events/', import.meta.url);
it.each(readdirSync(folder))('the golden sample %s fits its schema', (file) => {
  const sample = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
    type: keyof typeof processEventSchemas;
    data: unknown;
  };
  // Strictly: a field that no schema names is a fault here, though not for a consumer.
  expect(processEventSchemas[sample.type].strict().safeParse(sample.data)).toMatchObject({ success: true });
});
