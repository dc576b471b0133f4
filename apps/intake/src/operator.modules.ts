import { pathToFileURL } from 'node:url';
import type { OperatorDescriptor } from '@baton/process';

/** Operator types of the user's own: a module that exports `operators`, each with its descriptor. */
export async function loadOperators(module: string | null): Promise<readonly OperatorDescriptor[]> {
  if (module === null) return [];
  const specifier = /^[./]/.test(module) ? pathToFileURL(module).href : module;
  const loaded: unknown = await import(/* webpackIgnore: true */ specifier);
  const operators =
    typeof loaded === 'object' && loaded !== null && 'operators' in loaded ? loaded.operators : undefined;
  if (!Array.isArray(operators)) {
    throw new Error(`BATON_OPERATORS: ${module} does not export "operators", a list of operator types.`);
  }
  return operators.map((operator: { descriptor?: OperatorDescriptor }, at) => {
    if (operator.descriptor) return operator.descriptor;
    throw new Error(`BATON_OPERATORS: operator ${at + 1} of ${module} has no descriptor.`);
  });
}
