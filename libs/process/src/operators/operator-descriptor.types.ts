import type { z } from 'zod';
import type { OperatorClass, Recovery } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';

/**
 * What publish must know of an operator type, without running it. Pure: the part that acts is in libs/operators.
 * A module given by `--operators` exports `operators: OperatorType[]`, each a descriptor with `run` (libs/operators).
 */
export interface OperatorDescriptor {
  type: string;
  class: OperatorClass;
  summary: string;
  /** The type's own fields as written in the definition, templates unevaluated (a `${{ }}` text is accepted anywhere by the checker). */
  fields: z.ZodObject;
  /** Fields in which `${{ secrets.X }}` may stand: names, or paths such as `headers.*`. */
  secretFields: readonly string[];
  /** Fields that are JSON Schemas; checked at publish unless they hold templates. */
  schemaFields?: readonly string[];
  /** Operators that the fields name outside of templates; they must be visible. */
  operatorNames?(fields: Record<string, Json>): { field: string; operator: string }[];
  /**
   * Fields that are bare CEL conditions about something yet to come, each with the names it may read beside what any
   * expression sees. At the start they become `{ expression, scope }`: what they read of the process, as it was then.
   * All other fields are templates.
   */
  expressionFields?: Readonly<Record<string, readonly string[]>>;
  /** What holds without `recovery`: undefined = an effect that must state it. Sees the fields as written. */
  defaultRecovery?(fields: Record<string, Json>): Recovery | undefined;
  lateBeginIsHarmless?(fields: Record<string, Json>): boolean;
  /** CEL over `output` that tells `happened` from `not-happened` when the type is used in `verify` without `outcomes`. */
  verifiedBy?: string;
  /** CEL over `output`; `expect` of the definition replaces it. */
  defaultExpect?: string;
  /** Further checks of the fields as written: messages with remedies. */
  check?(fields: Record<string, Json>): { field: string; message: string; remedy: string }[];
}
