import { z } from 'zod';
import type { Json } from '../json.types.js';
import { jsonValue, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

const statement = z.union([text, z.strictObject({ statement: text, parameters: z.array(jsonValue).optional() })]);

/** What PostgreSQL refuses inside a transaction block. */
const outsideTransaction =
  /^\s*(vacuum|create\s+database|drop\s+database|create\s+tablespace|drop\s+tablespace|alter\s+system|create\s+(unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\s+(\([^)]*\)\s*)?(\w+\s+)?concurrently|reindex\s+(system|database)|alter\s+database|create\s+subscription|drop\s+subscription)\b/i;
const transactionControl =
  /^\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i;

export const sqlOperator: OperatorDescriptor = {
  type: 'sql',
  class: 'effect',
  summary:
    'Runs SQL in one transaction, exactly once; its output is `{ rows, rowCount }`, a list of these for `statements`.',
  fields: z.object({
    connection: text.describe("The name of one of the environment's connections."),
    statement: text.optional().describe('One statement, with $1, $2, … for the parameters.'),
    statements: z
      .array(statement)
      .min(1)
      .optional()
      .describe('Several, in one transaction: text or `{ statement, parameters }`.'),
    parameters: z.array(jsonValue).optional().describe('The values for $1, $2, … of `statement`.'),
    exactlyOnce: z.boolean().optional().describe('false: outside a transaction, without the guarantee; default true.'),
  }),
  secretFields: ['parameters', 'statements.*.parameters'],
  defaultRecovery: ({ exactlyOnce }) => (exactlyOnce === false ? undefined : 'rerun'),
  lateBeginIsHarmless: ({ exactlyOnce }) => exactlyOnce !== false,
  check: checkFields,
};

type Finding = { field: string; message: string; remedy: string };

function checkFields(fields: Record<string, Json>): Finding[] {
  const hasOne = fields['statement'] !== undefined;
  const hasSeveral = fields['statements'] !== undefined;
  if (hasOne === hasSeveral)
    return [
      {
        field: hasOne ? 'statements' : 'statement',
        message: hasOne ? '`statement` and `statements` cannot stand together.' : 'There is no statement.',
        remedy: 'Write either `statement: "…"` or `statements: ["…", "…"]`.',
      },
    ];
  if (hasSeveral && fields['parameters'] !== undefined)
    return [
      {
        field: 'parameters',
        message: '`parameters` belong to one `statement`, not to several.',
        remedy: 'Write each of the statements as { statement: "…", parameters: […] }.',
      },
    ];
  return checkStatements(fields);
}

function checkStatements(fields: Record<string, Json>): Finding[] {
  const several = Array.isArray(fields['statements']) ? fields['statements'] : [];
  const all: { field: string; sql: Json | undefined }[] = several.map((entry, index) => ({
    field: `statements[${index}]`,
    sql: typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? entry['statement'] : entry,
  }));
  if (fields['statement'] !== undefined) all.push({ field: 'statement', sql: fields['statement'] });
  return all.flatMap(({ field, sql }) => (typeof sql === 'string' ? checkStatement(field, sql, fields) : []));
}

function checkStatement(field: string, sql: string, fields: Record<string, Json>): Finding[] {
  const bare = sql.replace(/^(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '');
  const keyword = outsideTransaction.exec(bare)?.[1];
  if (keyword && fields['exactlyOnce'] !== false)
    return [
      {
        field,
        message: `${keyword.toUpperCase()} cannot run in a transaction, so it cannot run exactly once.`,
        remedy: 'Add `exactlyOnce: false`, and state its `recovery`: rerun, fail, ask or verify.',
      },
    ];
  const control = transactionControl.exec(bare)?.[1];
  if (control)
    return [
      {
        field,
        message: `${control.toUpperCase()} is not needed here: an sql operator is one transaction.`,
        remedy: 'Leave it out; write several statements as `statements`.',
      },
    ];
  return [];
}
