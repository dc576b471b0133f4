import { pathToFileURL } from 'node:url';
import type { OperatorDescriptor } from '@baton/process';
import { z } from 'zod';

/**
 * Operator types of the user's own: a module that exports `operators`, each with its descriptor: a list, or a function
 * that is given `{ z, defineOperator }` and returns one. Executors load the same module (libs/operators).
 */
export async function loadOperators(module: string | null): Promise<readonly OperatorDescriptor[]> {
  if (module === null) return [];
  const specifier = /^[./]/.test(module) ? pathToFileURL(module).href : module;
  const loaded: unknown = await import(/* webpackIgnore: true */ specifier);
  const exported: unknown =
    typeof loaded === 'object' && loaded !== null && 'operators' in loaded ? loaded.operators : undefined;
  const tools = { z, defineOperator: <T>(operator: T): T => operator };
  const operators: unknown =
    typeof exported === 'function' ? await (exported as (given: object) => unknown)(tools) : exported;
  if (!Array.isArray(operators)) {
    throw new Error(`BATON_OPERATORS: ${module} does not export "operators", a list of operator types.`);
  }
  return operators.map((operator: { descriptor?: OperatorDescriptor }, at) => {
    // As the executors do: a module written in JavaScript may leave out which fields hold secrets.
    if (operator.descriptor) return { ...operator.descriptor, secretFields: operator.descriptor.secretFields ?? [] };
    throw new Error(`BATON_OPERATORS: operator ${at + 1} of ${module} has no descriptor.`);
  });
}
