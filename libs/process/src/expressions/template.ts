import type { Json, JsonObject } from '../json.types.js';
import { ExpressionError, type Scope, type Template } from './expression.types.js';
import type { ExpressionEngine, ParsedExpression } from './expression-engine.js';
import type { Read } from './references.js';
import { type SecretPart, sealedText, secretReference, textWithSecrets } from './secret-reference.js';
import { containsExpression, splitTemplate, type TextPart } from './template-text.js';
import { textOf } from './value-text.js';

/** An expression within a template, and where in the value it stands. */
interface TemplateExpression {
  path: (string | number)[];
  expression: ParsedExpression;
}

export interface ParsedTemplate extends Template {
  readonly reads: readonly Read[];
  readonly expressions: readonly TemplateExpression[];
  /** No `${{ }}` in it: it always evaluates to its source. */
  readonly constant: boolean;
}

type Fill = (scope: Scope) => Json;

/** What went wrong in one expression of a template, with its place in the value. */
export class TemplateError extends ExpressionError {
  constructor(
    cause: ExpressionError,
    readonly path: (string | number)[],
  ) {
    super(cause.source, cause.message, cause.remedy);
  }
}

/** Throws TemplateError. */
export function parseTemplate(engine: ExpressionEngine, source: Json): ParsedTemplate {
  const expressions: TemplateExpression[] = [];
  const fill = parseValue(engine, source, [], expressions);
  const reads = expressions.flatMap(({ expression }) => expression.reads);
  return {
    source,
    reads,
    expressions,
    constant: expressions.length === 0,
    evaluate: fill ?? (() => source),
  };
}

/** undefined: nothing to fill in. */
function parseValue(
  engine: ExpressionEngine,
  value: Json,
  path: (string | number)[],
  found: TemplateExpression[],
): Fill | undefined {
  if (typeof value === 'string') return parseText(engine, value, path, found);
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => parseValue(engine, item, [...path, index], found));
    if (items.every((item) => item === undefined)) return undefined;
    return (scope) => value.map((item, index) => items[index]?.(scope) ?? item);
  }
  return parseObject(engine, value, path, found);
}

function parseObject(
  engine: ExpressionEngine,
  value: JsonObject,
  path: (string | number)[],
  found: TemplateExpression[],
): Fill | undefined {
  const fields = Object.entries(value).map(
    ([key, field]) => [key, field, parseValue(engine, field, [...path, key], found)] as const,
  );
  if (fields.every(([, , fill]) => fill === undefined)) return undefined;
  return (scope) => Object.fromEntries(fields.map(([key, field, fill]) => [key, fill ? fill(scope) : field]));
}

function parseText(
  engine: ExpressionEngine,
  text: string,
  path: (string | number)[],
  found: TemplateExpression[],
): Fill | undefined {
  if (!containsExpression(text)) return undefined;
  try {
    const parts = splitTemplate(text).map((part) =>
      'text' in part ? part.text : parsePart(engine, part, path, found),
    );
    const [only] = parts;
    if (parts.length === 1 && typeof only === 'object') return (scope) => wholeValue(only, scope);
    return (scope) => filledText(parts, scope);
  } catch (error) {
    throw error instanceof ExpressionError && !(error instanceof TemplateError)
      ? new TemplateError(error, path)
      : error;
  }
}

function parsePart(
  engine: ExpressionEngine,
  part: Extract<TextPart, { expression: string }>,
  path: (string | number)[],
  found: TemplateExpression[],
): ParsedExpression {
  const expression = engine.parse(withQuotedSecret(part.expression));
  secretName(expression); // refuses what is more than a secret's name
  found.push({ path, expression });
  return expression;
}

/** Names of secrets may hold "-", which would subtract; nothing can be subtracted from a secret. */
function withQuotedSecret(source: string): string {
  const [, name] = /^\s*secrets\.(\w+(?:-\w+)+)\s*$/.exec(source) ?? [];
  return name === undefined ? source : `secrets["${name}"]`;
}

/** A secret's value is not there when the template is evaluated: only a reference can be written in. */
function secretName(expression: ParsedExpression): string | undefined {
  const read = expression.reads.find(({ root }) => root === 'secrets');
  if (!read) return undefined;
  const [name, ...rest] = read.path;
  const asItIs = [`secrets.${name}`, `secrets["${name}"]`, `secrets['${name}']`];
  if (name !== undefined && rest.length === 0 && asItIs.includes(expression.source.trim())) return name;
  throw new ExpressionError(
    expression.source,
    'A secret can only be written in as it is.',
    'Write ${{ secrets.NAME }} alone, without functions or operators; text may stand around it.',
  );
}

function wholeValue(expression: ParsedExpression, scope: Scope): Json {
  const secret = secretName(expression);
  return secret === undefined ? expression.evaluate(scope) : secretReference(secret);
}

function filledText(parts: readonly (string | ParsedExpression)[], scope: Scope): Json {
  const filled = parts.map((part): SecretPart => (typeof part === 'string' ? part : filledPart(part, scope)));
  return filled.every((part) => typeof part === 'string') ? filled.join('') : textWithSecrets(filled);
}

function filledPart(expression: ParsedExpression, scope: Scope): SecretPart {
  const secret = secretName(expression);
  if (secret !== undefined) return { name: secret };
  const value = expression.evaluate(scope);
  const sealed = sealedText(value);
  return sealed === undefined ? textOf(value) : { sealed };
}
