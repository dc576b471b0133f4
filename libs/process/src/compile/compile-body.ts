import type { Path } from '../definition/definition-text.js';
import type { Expression } from '../expressions/expression.types.js';
import type { JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import type { CompileContext } from './compile-context.js';
import { compileFields } from './compile-fields.js';
import { compileRepeat, compileRetry } from './compile-loop.js';
import { compileRecovery } from './compile-recovery.js';
import type { CompiledOperator } from './compiled.types.js';
import { isMap } from './links.js';
import { checkOutcomeNames } from './operator-shape.js';
import { type Place, withRoots } from './place.js';

/** What an operator has, whether it stands in a graph, undoes another, or verifies one. */
export function compileBody(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
) {
  refuseMeaningless(context, raw, descriptor, path);
  const expect = expectOf(context, raw, descriptor, withRoots(place, ['output']), path);
  const repeat = compileRepeat(context, raw['repeat'], place, [...path, 'repeat']);
  const retry = compileRetry(context, raw, [...path, 'retry']);
  return {
    type: descriptor.type,
    class: descriptor.class,
    ...(expect ? { expect } : {}),
    ...(repeat ? { repeat } : {}),
    ...(retry ? { retry } : {}),
    ...durations(context, raw),
    ...(isMap(raw['lock']) ? { lock: lockOf(context, raw['lock'], place, path) } : {}),
    ...(typeof raw['window'] === 'string' ? { window: raw['window'] } : {}),
    sensitive: Array.isArray(raw['sensitive'])
      ? raw['sensitive'].flatMap((part) => (typeof part === 'string' ? part.replace(/^output\./, '') : []))
      : [],
    recovery: compileRecovery(context, raw, descriptor, path),
    lateBeginIsHarmless: descriptor.lateBeginIsHarmless?.(raw) ?? false,
    fields: compileFields(context, raw, descriptor, place, path),
  };
}

function lockOf(context: CompileContext, lock: JsonObject, place: Place, path: Path) {
  const limit = lock['limit'];
  return {
    name: context.template(lock['name'] ?? '', place, [...path, 'lock', 'name']),
    limit: typeof limit === 'number' ? limit : 1,
  };
}

function expectOf(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
): Expression | undefined {
  const value = raw['expect'] ?? descriptor.defaultExpect;
  return value === undefined ? undefined : context.expression(value, place, [...path, 'expect']);
}

function durations(context: CompileContext, raw: JsonObject) {
  const timeout = context.duration(raw['timeout']);
  const deadline = context.duration(raw['deadline']);
  const warnAfter = context.duration(raw['warnAfter']);
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(warnAfter === undefined ? {} : { warnAfter }),
  };
}

const meaningless: Readonly<Record<string, readonly string[]>> = {
  set: ['retry', 'timeout', 'deadline', 'repeat', 'sensitive'],
  decision: ['retry', 'timeout', 'deadline', 'repeat', 'expect', 'forEach', 'sensitive', 'compensate'],
  fail: ['retry', 'timeout', 'deadline', 'repeat', 'expect', 'outcomes', 'forEach', 'sensitive', 'compensate'],
};

function refuseMeaningless(context: CompileContext, raw: JsonObject, descriptor: OperatorDescriptor, path: Path): void {
  for (const field of meaningless[descriptor.type] ?? [])
    if (raw[field] !== undefined)
      context.faults.error(
        [...path, field],
        `\`${field}\` has no meaning for an operator of type ${descriptor.type}.`,
        'Remove it.',
        'key',
      );
  if (
    raw['sensitive'] !== undefined &&
    descriptor.class !== 'effect' &&
    !meaningless[descriptor.type]?.includes('sensitive')
  )
    context.faults.error(
      [...path, 'sensitive'],
      `\`sensitive\` has no meaning for an operator of type ${descriptor.type}: its output is recorded as it comes.`,
      'Name it at an operator that calls out (http, sql, script, …); what it seals stays sealed wherever it is passed on.',
      'key',
    );
  if (descriptor.type === 'decision' && raw['outcomes'] === undefined)
    context.faults.error(
      [...path, 'outcomes'],
      'A decision has no `outcomes`.',
      'Add them: `outcomes: { yes: EXPRESSION, no: else }`.',
      'key',
    );
}

export function compileOutcomes(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
): CompiledOperator['outcomes'] {
  const outcomes = raw['outcomes'];
  if (!isMap(outcomes)) return [];
  checkOutcomeNames(context, raw, path);
  const visible = descriptor.type === 'decision' ? withoutOutput(place) : place;
  return Object.entries(outcomes).map(([name, when]) => ({
    name,
    when: when === 'else' ? ('else' as const) : context.expression(when, visible, [...path, 'outcomes', name]),
  }));
}

function withoutOutput(place: Place): Place {
  return { ...place, roots: new Set([...place.roots].filter((root) => root !== 'output')) };
}
