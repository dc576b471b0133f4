import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtInOperators, type OperatorDescriptor } from '@baton/process';
import { z } from 'zod';
import { wrongUse } from './exit-codes.js';

/**
 * The descriptors of a module with operator types of the user's own, for checking: what the module exports as `operators`
 * is a list, or a function that is handed zod and `defineOperator` as a server does, and makes one.
 */
export async function loadOperators(module: string): Promise<OperatorDescriptor[]> {
  const known = new Set(builtInOperators.map(({ type }) => type));
  return (await entriesOf(module)).map((entry) => {
    const descriptor: unknown =
      typeof entry === 'object' && entry !== null ? (Reflect.get(entry, 'descriptor') ?? entry) : entry;
    if (!isDescriptor(descriptor))
      throw wrongUse(`${module}: an entry of \`operators\` has no descriptor with type, class and fields.`);
    if (known.has(descriptor.type)) throw wrongUse(`${module}: the operator type "${descriptor.type}" is Baton's own.`);
    return descriptor;
  });
}

async function entriesOf(module: string): Promise<unknown[]> {
  const isFile = module.startsWith('.') || isAbsolute(module) || /\.[cm]?js$/.test(module);
  const specifier = isFile ? pathToFileURL(resolve(module)).href : module;
  let operators: unknown;
  try {
    const loaded: unknown = await import(/* webpackIgnore: true */ specifier);
    operators = exported(loaded, 'operators') ?? exported(loaded, 'default');
    if (typeof operators === 'function')
      operators = await operators({ z, defineOperator: (operator: unknown) => operator });
  } catch (error) {
    throw wrongUse(`${module} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(operators)) throw wrongUse(`${module} exports no \`operators\`.`);
  return operators;
}

function exported(module: unknown, name: string): unknown {
  return typeof module === 'object' && module !== null ? Reflect.get(module, name) : undefined;
}

function isDescriptor(value: unknown): value is OperatorDescriptor {
  return typeof value === 'object' && value !== null && 'type' in value && 'class' in value && 'fields' in value;
}
