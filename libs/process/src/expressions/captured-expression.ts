import type { Json, JsonObject } from '../json.types.js';
import { type Expression, ExpressionError, type Reference, type Scope, type Template } from './expression.types.js';
import { ExpressionEngine, rootOf } from './expression-engine.js';

/** An expression about something yet to come, with what it reads of the process. Plain data: it stands in events. */
export interface CapturedExpression {
  expression: string;
  scope: JsonObject;
}

export function isCaptured(value: Json | undefined): value is Json & CapturedExpression {
  return isObject(value) && typeof value['expression'] === 'string' && isObject(value['scope']);
}

const largestScope = 32 * 1024;
const mostParsed = 1_000;

/** Comes out as the expression and what it reads now; `later`: names that are known only when it is evaluated. */
export function capturing(expression: Expression, later: readonly string[]): Template {
  const reads = expression.reads.filter(({ root }) => !later.includes(root));
  return {
    source: expression.source,
    reads,
    evaluate(scope): Json {
      const captured = captureScope(scope, reads);
      const size = JSON.stringify(captured).length;
      if (size > largestScope)
        throw new ExpressionError(
          expression.source,
          `it reads ${size} characters of the process, of which ${largestScope} can be kept until it is needed`,
          'Read only the parts that it compares: operators.NAME.output.ID.',
        );
      return { expression: expression.source, scope: captured };
    },
  };
}

/** Whether it holds with these values. What cannot be evaluated with them does not hold. */
export function capturedHolds({ expression, scope }: CapturedExpression, later: Record<string, Json>): boolean {
  try {
    return parsed(expression).evaluate({ ...nothing, locals: { ...scope, ...later } }) === true;
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

const nothing: Scope = {
  inputs: {},
  operators: {},
  process: { id: '', title: '', requester: null, status: '', now: '' },
};
const engine = new ExpressionEngine();
const known = new Map<string, Expression>();

function parsed(source: string): Expression {
  const before = known.get(source);
  if (before !== undefined) return before;
  const expression = engine.parse(source);
  const oldest = known.keys().next();
  if (known.size >= mostParsed && !oldest.done) known.delete(oldest.value);
  known.set(source, expression);
  return expression;
}

/** Only what is read, in its place. A read that finds nothing leaves the place empty, so that has() is false there. */
function captureScope(scope: Scope, reads: readonly Reference[]): JsonObject {
  const captured: JsonObject = Object.create(null);
  // Shorter reads first: a whole holds its parts.
  for (const { root, path } of [...reads].sort((one, other) => one.path.length - other.path.length)) {
    const whole = rootOf(scope, root);
    if (whole !== undefined) capture(captured, [root, ...path], { [root]: whole });
  }
  return JSON.parse(JSON.stringify(captured)) as JsonObject;
}

function capture(target: JsonObject, path: readonly string[], source: object): void {
  let from = source;
  let to = target;
  for (const [at, name] of path.entries()) {
    const value: unknown = Object.hasOwn(from, name) ? Reflect.get(from, name) : undefined;
    if (value === undefined) return;
    if (at === path.length - 1 || typeof value !== 'object' || value === null || Array.isArray(value)) {
      to[name] = value as Json;
      return;
    }
    const inside = to[name];
    if (inside === value) return;
    if (isObject(inside)) to = inside;
    else {
      const made: JsonObject = Object.create(null);
      to[name] = made;
      to = made;
    }
    from = value;
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
