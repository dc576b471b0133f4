import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import type { Json, JsonObject } from '../json.types.js';
import { evaluationEnvironment } from './cel-environment.js';
import { limitEvaluation, refuseUnbounded } from './cel-guards.js';
import { constantPath } from './cel-tree.js';
import { CelValueCache, fromCel } from './cel-value.js';
import { type Expression, ExpressionError, type Scope } from './expression.types.js';
import { Projection } from './projection.js';
import { type Read, readsOf } from './references.js';
import { forgedSecret } from './secret-reference.js';

/** What the checker of a definition needs beside evaluating. */
export interface ParsedExpression extends Expression {
  readonly reads: readonly Read[];
  readonly tree: ASTNode;
}

/** Parses expressions once; one engine per definition, whose input schemas say which numbers are doubles. */
export class ExpressionEngine {
  readonly #cache = new CelValueCache();

  constructor(private readonly inputSchemas: JsonObject = {}) {}

  /** Throws ExpressionError. */
  parse(source: string): ParsedExpression {
    if (source.trim() === '')
      throw new ExpressionError(source, 'The expression is empty.', 'Write a CEL expression, such as `inputs.go`.');
    const run = parseCel(source);
    refuseUnbounded(source, run.ast);
    const reads = readsOf(run.ast);
    const chain = constantPath(run.ast);
    if (chain?.exact && reads.length === 1) return new PathExpression(source, run.ast, reads, chain);
    limitEvaluation(run.ast);
    return new CelExpression(source, run, reads, new Projection(reads, this.#cache, this.inputSchemas));
  }
}

function parseCel(source: string): ParseResult {
  try {
    return evaluationEnvironment.parse(source);
  } catch (error) {
    throw new ExpressionError(
      source,
      `${summaryOf(error)}.`,
      'Correct the expression; it is CEL (docs/reference/language.md).',
    );
  }
}

class CelExpression implements ParsedExpression {
  readonly tree: ASTNode;

  constructor(
    readonly source: string,
    private readonly run: ParseResult,
    readonly reads: readonly Read[],
    private readonly projection: Projection,
  ) {
    this.tree = run.ast;
  }

  evaluate(scope: Scope): Json {
    try {
      const result = fromCel(this.run(this.projection.apply((name) => rootOf(scope, name))));
      return withoutForgedSecret(this.source, result);
    } catch (error) {
      if (error instanceof ExpressionError) throw error;
      throw new ExpressionError(this.source, summaryOf(error));
    }
  }
}

/** `inputs.version`: most expressions are a path, and need no CEL to be read. */
class PathExpression implements ParsedExpression {
  constructor(
    readonly source: string,
    readonly tree: ASTNode,
    readonly reads: readonly Read[],
    private readonly chain: { root: string; path: string[] },
  ) {}

  evaluate(scope: Scope): Json {
    let value = rootOf(scope, this.chain.root);
    if (value === undefined) throw new ExpressionError(this.source, `Unknown variable: ${this.chain.root}`);
    for (const name of this.chain.path) {
      value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
      if (value === undefined) throw new ExpressionError(this.source, `No such key: ${name}`);
    }
    return withoutForgedSecret(this.source, value as Json);
  }
}

function isObject(value: unknown): value is Record<string, Json | object | undefined> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutForgedSecret(source: string, value: Json): Json {
  const path = forgedSecret(value);
  if (path === undefined) return value;
  throw new ExpressionError(
    source,
    `the value has a key "$secret"${path === '' ? '' : ` at ${path}`}, which only Baton itself may set`,
  );
}

export function rootOf(scope: Scope, name: string): Json | object | undefined {
  const locals = scope.locals;
  if (locals && Object.hasOwn(locals, name)) return locals[name];
  if (!Object.hasOwn(scope, name) || name === 'locals') return undefined;
  const value: Json | object | undefined = Reflect.get(scope, name);
  return value;
}

/** cel-js's summary, without its drawing of the source. */
export function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const summary: unknown = Reflect.get(error, 'summary');
  return typeof summary === 'string' ? summary : error.message;
}
