import type { Json } from '@baton/process';
import { z } from 'zod';

const parameters = z.array(z.custom<Json>((value) => value !== undefined));
const statement = z.union([
  z.string().min(1),
  z.strictObject({ statement: z.string().min(1), parameters: parameters.optional() }),
]);

/** The fields of `sql` once they are evaluated. */
export const sqlFields = z
  .strictObject({
    connection: z.string().min(1),
    statement: z.string().min(1).optional(),
    statements: z.array(statement).min(1).optional(),
    parameters: parameters.optional(),
    exactlyOnce: z.boolean().default(true),
  })
  .refine((fields) => (fields.statement === undefined) !== (fields.statements === undefined), {
    error: 'write either `statement` or `statements`',
  });
export type SqlFields = z.infer<typeof sqlFields>;

export interface Statement {
  sql: string;
  parameters: Json[];
}

export function statementsOf(fields: SqlFields): Statement[] {
  if (fields.statement !== undefined) return [{ sql: fields.statement, parameters: fields.parameters ?? [] }];
  return (fields.statements ?? []).map((entry) =>
    typeof entry === 'string'
      ? { sql: entry, parameters: [] }
      : { sql: entry.statement, parameters: entry.parameters ?? [] },
  );
}

const control =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+(local\s+|session\s+)?(transaction|session\s+characteristics))\b/i;

/** A statement that ends the transaction would part the key from the work: refused, whatever made it. */
export function transactionControl(sql: string): string | null {
  const bare = sql.replace(/^(\s|;|\(|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '');
  return control.exec(bare)?.[1]?.toUpperCase().replace(/\s+/g, ' ') ?? null;
}
