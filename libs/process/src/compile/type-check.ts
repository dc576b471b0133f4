import { newCheckingEnvironment } from '../expressions/cel-environment.js';
import { ExpressionError } from '../expressions/expression.types.js';
import { summaryOf } from '../expressions/expression-engine.js';
import type { Json, JsonObject } from '../json.types.js';
import { isMap } from './links.js';

const dynamicRoots = [
  'environment',
  'operators',
  'process',
  'trigger',
  'operator',
  'output',
  'previous',
  'item',
  'record',
  'secrets',
];

/** Checks the types of expressions against the schemas of the inputs. One per definition. */
export class TypeChecker {
  readonly #environment = newCheckingEnvironment();

  constructor(inputSchemas: JsonObject, locals: Iterable<string>) {
    const fields = Object.fromEntries(Object.entries(inputSchemas).map(([name, schema]) => [name, celType(schema)]));
    this.#environment.registerType('Inputs', { fields });
    this.#environment.registerVariable('inputs', 'Inputs');
    for (const root of dynamicRoots) this.#environment.registerVariable(root, 'dyn');
    this.#environment.registerVariable('iteration', 'int');
    this.#environment.registerVariable('index', 'int');
    for (const local of new Set(locals))
      if (!this.#environment.hasVariable(local)) this.#environment.registerVariable(local, 'dyn');
  }

  /** The fault, or undefined. `condition`: it must be true or false. */
  check(source: string, condition: boolean): ExpressionError | undefined {
    const result = this.#environment.check(source);
    if (!result.valid) {
      const summary = summaryOf(result.error);
      return new ExpressionError(source, `${summary}.`, remedyFor(summary));
    }
    if (!condition || result.type === undefined || result.type === 'bool' || result.type.startsWith('dyn'))
      return undefined;
    return new ExpressionError(
      source,
      `The expression gives ${result.type}, but true or false is needed.`,
      'Compare it with something, such as `… == 1` or `size(…) > 0`.',
    );
  }
}

function remedyFor(summary: string): string {
  if (summary.startsWith('no such overload')) return 'Convert one side: string(…), int(…) or double(…).';
  if (summary.startsWith('Ternary branches')) return 'Give both sides the same type, or wrap them in dyn(…).';
  if (summary.startsWith('found no matching overload'))
    return 'Check the number and the types of what is given to the function.';
  return 'Correct the expression.';
}

/** Only what the schema makes certain; anything else is dynamic. */
function celType(schema: Json | undefined): string {
  if (!isMap(schema)) return 'dyn';
  switch (schema['type']) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return `list<${celType(schema['items'])}>`;
    case 'object':
      return 'map<string, dyn>';
    default:
      return 'dyn';
  }
}
