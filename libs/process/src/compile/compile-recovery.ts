import type { Path } from '../definition/definition-text.js';
import type { Recovery } from '../events/process-event.types.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import type { CompileContext } from './compile-context.js';

const choices =
  "Add `recovery: rerun` (do it again), `fail` (take the failure links), `ask` (a person decides) or `verify` (an operator finds out), or the definition's `defaults: { recovery: … }`.";

/** What happens when nobody knows whether the effect happened: stated, or safe by nature, else refused. */
export function compileRecovery(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  path: Path,
): Recovery {
  const stated = recoveryOf(raw['recovery']);
  if (descriptor.class !== 'effect') {
    for (const field of ['recovery', 'verify'])
      if (raw[field] !== undefined)
        context.faults.error(
          [...path, field],
          `\`${field}\` has no meaning here: what happened to an operator of type ${descriptor.type} is always known.`,
          'Remove it.',
          'key',
        );
    return 'rerun';
  }
  checkVerify(context, raw, stated, path);
  const recovery = stated ?? descriptor.defaultRecovery?.(raw) ?? context.defaultRecovery;
  if (recovery !== undefined) return recovery;
  context.faults.error(
    path,
    `If its executor dies while it runs, nobody knows whether ${describe(descriptor, raw)} happened, and it does not say what to do then.`,
    choices,
    'key',
  );
  return 'ask';
}

function describe(descriptor: OperatorDescriptor, raw: JsonObject): string {
  const method = raw['method'];
  return typeof method === 'string' && !method.includes('${{') ? `the ${method}` : `this ${descriptor.type}`;
}

function checkVerify(context: CompileContext, raw: JsonObject, stated: Recovery | undefined, path: Path): void {
  if (stated === 'verify' && raw['verify'] === undefined)
    context.faults.error(
      [...path, 'recovery'],
      '`recovery: verify` needs an operator that finds out.',
      'Add `verify: { type: …, outcomes: { happened: EXPRESSION, not-happened: else } }`.',
    );
  if (stated !== 'verify' && raw['verify'] !== undefined)
    context.faults.error(
      [...path, 'verify'],
      '`verify` is only used with `recovery: verify`.',
      'Add `recovery: verify`, or remove it.',
      'key',
    );
}

function recoveryOf(value: Json | undefined): Recovery | undefined {
  return value === 'rerun' || value === 'fail' || value === 'ask' || value === 'verify' ? value : undefined;
}
