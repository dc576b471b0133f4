import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { uuidv7 } from '../process-id.js';
import { boolArray, int2Array, int4Array, jsonbArray, textArray, uuidArray } from './binary-arrays.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

/** What the server makes of a parameter, element by element. */
async function read(type: string, value: Buffer): Promise<unknown[]> {
  const { rows } = await db.pool.query<{ value: unknown }>(
    `select to_json(e) as value from unnest($1::${type}[]) with ordinality u(e, n) order by n`,
    [value],
  );
  return rows.map((row) => row.value);
}

it('the server reads what was written, of every type', async () => {
  const ids = [uuidv7(), 'FFFFFFFF-0123-4567-89ab-cdefABCDEF00', ...Array.from({ length: 500 }, () => uuidv7())];
  expect(await read('uuid', uuidArray(ids))).toEqual(ids.map((id) => id.toLowerCase()));
  expect(await read('int', int4Array([0, 1, -1, 2_147_483_647]))).toEqual([0, 1, -1, 2_147_483_647]);
  expect(await read('smallint', int2Array([null, 9, -1]))).toEqual([null, 9, -1]);
  expect(await read('bool', boolArray([true, false]))).toEqual([true, false]);
});

it('texts come as they are, however long and in whatever script, and a missing one stays missing', async () => {
  const texts = ['', null, 'a "quoted", {braced} \\ one', 'NULL', 'Größe 龍 🐉', 'x'.repeat(200_000)];
  expect(await read('text', textArray(texts))).toEqual(texts);
  const values = [{}, { deep: [1, null, 'ß"\\'] }, 'text', 12.5];
  const given = [null, ...values.map((value) => JSON.stringify(value))];
  expect(await read('jsonb', jsonbArray(given))).toEqual([null, ...values]);
});

it('an array may be empty', async () => {
  for (const [type, value] of [
    ['uuid', uuidArray([])],
    ['int', int4Array([])],
    ['smallint', int2Array([])],
    ['bool', boolArray([])],
    ['text', textArray([])],
    ['jsonb', jsonbArray([])],
  ] as const)
    expect(await read(type, value)).toEqual([]);
});

it('what is no UUID is refused before it could become another one', () => {
  for (const text of [
    '',
    'p1',
    `${uuidv7()}0`,
    uuidv7().replace('7', 'g'),
    uuidv7().replace('-', '0'),
    uuidv7().replace(/.$/, 'é'),
  ])
    expect(() => uuidArray([text])).toThrow(text);
});
