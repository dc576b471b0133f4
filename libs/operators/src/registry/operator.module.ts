import type { OperatorType } from '../operator.port.js';

/** Every fault of a user's module at once, each with its remedy. */
export class InvalidOperatorModule extends Error {
  override name = 'InvalidOperatorModule';
  constructor(
    readonly module: string,
    readonly faults: readonly string[],
  ) {
    super(`The operators of ${module} cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/** For a module of the user's own: checks the types while it is written, nothing more. */
export function defineOperator(operator: OperatorType): OperatorType {
  return operator;
}

/**
 * What a module exports: `operators`, a list, or a function that is given `{ z, defineOperator }` and returns one, so
 * that a module needs no packages of its own. The same as the default export.
 */
export async function operatorsOf(
  module: string,
  exported: { operators?: unknown; default?: unknown },
  taken: readonly string[],
  tools: object,
): Promise<OperatorType[]> {
  let list = exported.operators ?? exported.default;
  if (typeof list === 'object' && list !== null && 'operators' in list) list = list.operators;
  try {
    if (typeof list === 'function') list = await (list as (tools: object) => unknown)(tools);
  } catch (error) {
    throw new InvalidOperatorModule(module, [
      `its function threw: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  if (!Array.isArray(list))
    throw new InvalidOperatorModule(module, [
      'it exports no list; write `export const operators = [{ descriptor, run }]`',
    ]);
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of list.entries()) {
    const found = faultsOf(entry);
    const type = typeOf(entry);
    const name = type ? `operators[${index}] (${type})` : `operators[${index}]`;
    if (type && taken.includes(type)) found.push(`the type ${type} is one of Baton's own; choose another name`);
    if (type && seen.has(type)) found.push(`the type ${type} is given twice`);
    if (type) seen.add(type);
    faults.push(...found.map((fault) => `${name}: ${fault}`));
  }
  if (faults.length > 0) throw new InvalidOperatorModule(module, faults);
  return (list as OperatorType[]).map((operator) => ({
    // `secretFields` may be left out by a module written in JavaScript: then none may hold a secret.
    descriptor: { ...operator.descriptor, secretFields: operator.descriptor.secretFields ?? [] },
    run: (context) => operator.run(context),
  }));
}

function typeOf(entry: unknown): string | undefined {
  const descriptor = record(record(entry)?.['descriptor']);
  return typeof descriptor?.['type'] === 'string' ? descriptor['type'] : undefined;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

const optionalFunctions = ['defaultRecovery', 'lateBeginIsHarmless', 'check', 'operatorNames'];
const optionalTexts = ['defaultExpect', 'verifiedBy'];

function faultsOf(entry: unknown): string[] {
  const operator = record(entry);
  if (!operator) return ['it is not an object; write { descriptor, run }'];
  const faults: string[] = [];
  if (typeof operator['run'] !== 'function') faults.push('run is missing; it is an async function of the context');
  const descriptor = record(operator['descriptor']);
  if (!descriptor) return [...faults, 'descriptor is missing; it is { type, class, summary, fields }'];
  const { type, summary, fields } = descriptor;
  if (typeof type !== 'string' || !/^[a-z][a-z0-9-]*$/.test(type))
    faults.push('descriptor.type must be lower-case letters, digits and -, such as "send-fax"');
  if (descriptor['class'] !== 'effect') faults.push('descriptor.class must be "effect"; the others are Baton\'s own');
  if (typeof summary !== 'string' || summary.trim() === '') faults.push('descriptor.summary is missing; one sentence');
  const schema = record(fields);
  if (!schema || typeof schema['safeParse'] !== 'function' || !record(schema['shape']))
    faults.push('descriptor.fields must be a zod object: z.object({ … }), of zod 4');
  const secretFields = descriptor['secretFields'];
  if (
    secretFields !== undefined &&
    !(Array.isArray(secretFields) && secretFields.every((name) => typeof name === 'string'))
  )
    faults.push('descriptor.secretFields must be a list of names, such as ["password", "headers.*"]');
  for (const name of optionalFunctions)
    if (descriptor[name] !== undefined && typeof descriptor[name] !== 'function')
      faults.push(`descriptor.${name} must be a function`);
  for (const name of optionalTexts)
    if (descriptor[name] !== undefined && typeof descriptor[name] !== 'string')
      faults.push(`descriptor.${name} must be a text (CEL)`);
  return faults;
}
