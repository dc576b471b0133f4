import type { Path } from '../definition/definition-text.js';
import type { Json, JsonObject } from '../json.types.js';
import type { CompileContext } from './compile-context.js';
import type { CompiledForEach, CompiledOperator } from './compiled.types.js';
import { isMap } from './links.js';
import { type Place, withRoots } from './place.js';
import { isUsableLocalName } from './read-check.js';

type Share = { count: number } | { percent: number };

/** `forEach` as written: an expression, a list, or a map with `in`. */
export function compileForEach(
  context: CompileContext,
  value: Json | undefined,
  place: Place,
  path: Path,
): CompiledForEach | undefined {
  if (value === undefined) return undefined;
  const fields: JsonObject = isMap(value) ? value : { in: value };
  const inPath = isMap(value) ? [...path, 'in'] : path;
  checkList(context, fields['in'], inPath);
  const as = itemName(context, fields['as'], path);
  const inLoop = withRoots(place, ['item', 'index', as]);
  const batches = compileBatches(context, fields['batches'], [...path, 'batches']);
  return {
    in: context.template(fields['in'] ?? [], place, inPath),
    as,
    ...(fields['key'] === undefined ? {} : { key: context.template(fields['key'], inLoop, [...path, 'key']) }),
    ...(typeof fields['maxParallel'] === 'number' ? { maxParallel: fields['maxParallel'] } : {}),
    ...(batches ? { batches } : {}),
    stopAfterFailures: shareOf(fields['stopAfterFailures']) ?? { count: 1 },
  };
}

function checkList(context: CompileContext, list: Json | undefined, path: Path): void {
  if (typeof list !== 'string' || /^\s*\$\{\{[\s\S]*\}\}\s*$/.test(list)) return;
  context.faults.error(path, 'This is text, not a list.', 'Write a list, or one ${{ expression }} that gives a list.');
}

function itemName(context: CompileContext, value: Json | undefined, path: Path): string {
  if (typeof value !== 'string' || value === 'item') return 'item';
  if (isUsableLocalName(value)) return value;
  context.faults.error(
    [...path, 'as'],
    `"${value}" cannot be the name of the item.`,
    'Choose a name of letters, digits and _ that means nothing else in expressions.',
  );
  return 'item';
}

/** The names that a loop adds to what its body may see. */
export function loopRoots(value: Json | undefined): string[] {
  if (value === undefined) return [];
  const as = isMap(value) && typeof value['as'] === 'string' ? value['as'] : 'item';
  return ['item', 'index', as];
}

function shareOf(value: Json | undefined): Share | undefined {
  if (typeof value === 'number') return { count: value };
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return percent === undefined ? undefined : { percent: Number(percent) };
}

function compileBatches(context: CompileContext, value: Json | undefined, path: Path): Share[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const batches = value.flatMap((entry) => shareOf(entry) ?? []);
  for (const [index, batch] of batches.entries()) {
    const previous = batches[index - 1];
    if (previous && sizeOf(previous, batch) >= sizeOf(batch, previous))
      context.faults.error(
        [...path, index],
        'A wave begins no more items than the one before it: batches are how many items have begun in all.',
        'Let the numbers rise, such as [1, 25%, 100%].',
      );
  }
  const last = batches.at(-1);
  if (last && !('percent' in last && last.percent === 100)) {
    context.faults.warning(
      path,
      'The last wave does not take all items.',
      'The rest begins as a wave of its own; write 100% to say so.',
    );
    batches.push({ percent: 100 });
  }
  return batches;
}

/** Counts and percentages cannot be compared with each other before the list is known. */
function sizeOf(share: Share, other: Share): number {
  if ('count' in share) return 'count' in other ? share.count : 0;
  return 'percent' in other ? share.percent : 1;
}

export function compileRepeat(
  context: CompileContext,
  value: Json | undefined,
  place: Place,
  path: Path,
): CompiledOperator['repeat'] {
  if (!isMap(value)) return undefined;
  const inRound = withRoots(place, ['output', 'iteration'], ['previous']);
  const given = ['until', 'while'].filter((field) => value[field] !== undefined);
  if (given.length !== 1)
    context.faults.error(
      given.length === 0 ? path : [...path, 'while'],
      given.length === 0 ? '`repeat` does not say when it ends.' : '`until` and `while` cannot stand together.',
      'Write either `until: EXPRESSION` or `while: EXPRESSION`.',
    );
  return {
    ...(value['until'] === undefined ? {} : { until: context.expression(value['until'], inRound, [...path, 'until']) }),
    ...(value['while'] === undefined ? {} : { while: context.expression(value['while'], inRound, [...path, 'while']) }),
    max: typeof value['max'] === 'number' ? value['max'] : 1,
    every: context.duration(value['every']) ?? 1_000,
  };
}

export function compileRetry(context: CompileContext, raw: JsonObject, path: Path): CompiledOperator['retry'] {
  const value = raw['retry'];
  if (!isMap(value)) return undefined;
  if (value['items'] !== undefined && raw['forEach'] === undefined)
    context.faults.error(
      [...path, 'items'],
      '`items` belongs to `forEach`.',
      'Remove it: there is only one item here.',
    );
  const backoff = value['backoff'];
  const constant = context.duration(backoff);
  const fields: JsonObject = isMap(backoff) ? backoff : {};
  const initial = constant ?? context.duration(fields['initial']) ?? 1_000;
  return {
    attempts: typeof value['attempts'] === 'number' ? value['attempts'] : 1,
    ...(Array.isArray(value['on']) ? { on: value['on'].map(String) } : {}),
    initial,
    factor: constant === undefined ? (typeof fields['factor'] === 'number' ? fields['factor'] : 2) : 1,
    max: constant ?? context.duration(fields['max']) ?? Math.max(60_000, initial),
    newKey: value['newKey'] === true,
    ...(value['items'] === 'all' || value['items'] === 'failed' ? { items: value['items'] } : {}),
  };
}
