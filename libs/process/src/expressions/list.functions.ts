import type { CelFunction } from './cel-function.types.js';
import { fromCel } from './cel-value.js';
import { textOf } from './value-text.js';

export const maximumListLength = 10_000;

export const listFunctions: readonly CelFunction[] = [
  {
    signatures: ['join(list, string): string'],
    summary: 'the items as text, with the separator between them',
    example: "join(inputs.hosts, ', ')",
    handler: (list: unknown[], separator: string) => list.map((item) => textOf(fromCel(item))).join(separator),
  },
  {
    signatures: ['range(int): list<int>'],
    summary: '0, 1, … up to but without the number',
    example: 'range(3)',
    handler: (end: bigint) => range(0n, end),
  },
  {
    signatures: ['range(int, int): list<int>'],
    summary: 'from the first number up to but without the second',
    example: 'range(1, 4)',
    handler: range,
  },
  {
    signatures: ['sort(list): list', 'list.sort(): list'],
    summary: 'the list in ascending order: all numbers or all text',
    example: 'sort(inputs.hosts)',
    handler: sort,
  },
  {
    signatures: ['sum(list): dyn', 'list.sum(): dyn'],
    summary: 'the numbers added up; 0 for an empty list',
    example: 'sum(inputs.sizes)',
    handler: sum,
  },
];

function range(start: bigint, end: bigint): bigint[] {
  if (end - start > BigInt(maximumListLength))
    throw new RangeError(`range() makes at most ${maximumListLength} numbers, not ${end - start}`);
  const numbers: bigint[] = [];
  for (let number = start; number < end; number++) numbers.push(number);
  return numbers;
}

function sort(list: unknown[]): unknown[] {
  const items = [...list];
  if (items.every((item) => typeof item === 'string')) return items.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (items.every(isNumber)) return items.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  throw new TypeError('sort() needs a list of numbers or a list of text');
}

function sum(list: unknown[]): bigint | number {
  if (!list.every(isNumber)) throw new TypeError('sum() needs a list of numbers');
  return list.reduce<bigint | number>(
    (total, item) =>
      typeof total === 'bigint' && typeof item === 'bigint' ? total + item : Number(total) + Number(item),
    0n,
  );
}

function isNumber(value: unknown): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}
