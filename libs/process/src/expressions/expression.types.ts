import type { Json, JsonObject } from '../json.types.js';

/** What an expression may see (design 1, "Expressions"). Plain JSON; the engine converts at its edge. */
export interface Scope {
  inputs: JsonObject;
  environment?: JsonObject; // { name, ...variables }
  operators: Record<string, OperatorView>; // by the name visible at that place; siblings shadow outer names
  process: { id: string; title: string; requester: Json; status: string; now: string };
  trigger?: Json;
  operator?: { idempotencyKey: string; attempt: number };
  output?: Json; // expect, outcomes, repeat
  previous?: Json; // repeat
  iteration?: number; // repeat
  item?: Json; // forEach
  index?: number; // forEach
  record?: Json; // topic match
  locals?: Record<string, Json>; // forEach `as` names of this and the enclosing loops
}
export interface OperatorView {
  status: string;
  outcome?: string;
  attempt: number;
  output?: Json;
  error?: Json;
  answeredBy?: string;
  answeredAt?: string;
}

/** A bare CEL expression, parsed and checked once. */
export interface Expression {
  readonly source: string;
  readonly reads: readonly Reference[];
  /** Throws ExpressionError, which names the expression and what went wrong. */
  evaluate(scope: Scope): Json;
}

/** A YAML value with `${{ }}` in it. A whole value keeps its type; inside text it is written in. */
export interface Template {
  readonly source: Json;
  readonly reads: readonly Reference[];
  /**
   * Secrets and sensitive outputs come out as SecretReference markers, never as values:
   * only the executor resolves them, in memory, at the moment of use.
   */
  evaluate(scope: Scope): Json;
}

/** `operators.X.output`, `secrets.NAME`, … as an expression reads it; compile uses it for checks and for loading large outputs. */
export interface Reference {
  root: string; // inputs, operators, secrets, environment, …
  path: string[]; // the names after it, as far as they are constant
}

/** Stands in evaluated fields where a secret belongs. `parts` when it is within text: strings and references in order. */
export interface SecretReference {
  $secret: string | { parts: (string | { name: string } | { sealed: string })[] } | { sealed: string };
}

/** A large output in the artifact store, as events hold it. */
export interface ArtifactReference {
  $artifact: { digest: string; size: number; mediaType: string };
}

export class ExpressionError extends Error {
  constructor(
    readonly source: string,
    message: string,
    readonly remedy = 'Correct the expression.',
  ) {
    super(message);
    this.name = 'ExpressionError';
  }
}
