import type { OperatorClass, Recovery } from '../events/process-event.types.js';
import type { Expression, Reference, Template } from '../expressions/expression.types.js';
import type { JsonObject } from '../json.types.js';

/** A definition version, checked and made ready to run: immutable, shared by all its processes. Durations are milliseconds. */
export interface CompiledDefinition {
  name: string; // namespace/name
  version: number;
  digest: string;
  title?: Template;
  labels: Record<string, string>;
  inputs: JsonObject; // JSON Schema per input
  requiredInputs: string[];
  environments?: string[];
  concurrency?: { key: Template; limit: number; onLimit: 'queue' | 'reject' | 'skip' | 'cancelOldest' };
  warnAfter?: number;
  timeout?: number;
  onFailure: 'compensate' | 'drain' | 'hold';
  compensateOn: ('failed' | 'cancelled' | 'timeout')[];
  operators: CompiledScope;
  finally: CompiledScope;
  outputs?: Template;
  /** Outputs that some expression reads: the driver loads their artifact references before it calls decide. */
  outputsRead: Reference[];
}

/** Siblings: the operators of a definition, of a group, of `finally`. In topological order. */
export interface CompiledScope {
  operators: readonly CompiledOperator[];
  byName: ReadonlyMap<string, CompiledOperator>;
}

export interface CompiledLink {
  from: string;
  /** 'completed' = plain link; 'outcome' carries the name. */
  on: 'completed' | 'outcome' | 'failed' | 'skipped' | 'any';
  outcome?: string;
}

export interface CompiledOperator {
  name: string;
  type: string;
  class: OperatorClass;
  index: number; // position in its scope's topological order
  after: readonly CompiledLink[];
  /** Operators of the same scope that have a link from this one. */
  successors: readonly string[];
  join: 'all' | 'any' | 'settled';
  cancelRest: boolean;
  when?: Expression;
  outcomes: readonly { name: string; when: Expression | 'else' }[];
  expect?: Expression; // default of the type included
  forEach?: CompiledForEach;
  repeat?: { until?: Expression; while?: Expression; max: number; every: number };
  retry?: {
    attempts: number;
    on?: string[];
    initial: number;
    factor: number;
    max: number;
    newKey: boolean;
    items?: 'failed' | 'all';
  };
  timeout?: number;
  deadline?: number;
  warnAfter?: number;
  lock?: { name: Template; limit: number };
  window?: string;
  sensitive: readonly string[]; // paths into the output
  recovery: Recovery;
  verify?: CompiledOperator;
  compensate?: CompiledOperator & { onUnknown: boolean };
  /** HTTP GET and HEAD, exactly-once sql: a late beginning does no harm, so no proof of death is waited for (design 2, b). */
  lateBeginIsHarmless: boolean;
  /** The type's own fields. Literals are templates without expressions. */
  fields: Record<string, Template>;
  /** group */
  scope?: CompiledScope;
  outputs?: Template;
}

export interface CompiledForEach {
  in: Template; // a list
  as: string; // default: item
  key?: Template;
  maxParallel?: number;
  /** Cumulative: how many items have begun by the end of each wave. */
  batches?: readonly ({ count: number } | { percent: number })[];
  stopAfterFailures: { count: number } | { percent: number };
}

/** A fault found by publish or `baton check`. All are reported at once. */
export interface DefinitionFault {
  path: string; // operators.deploy.after[0]
  line: number; // from 1
  column: number; // from 1
  message: string;
  remedy: string;
  severity: 'error' | 'warning';
}

export type CompileResult =
  | { definition: CompiledDefinition; warnings: DefinitionFault[] }
  | { faults: DefinitionFault[] };
