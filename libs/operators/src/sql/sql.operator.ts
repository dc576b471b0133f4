import type { EffectResult } from '@baton/process';
import type { EffectContext } from '../operator.port.js';
import { checkFields, failed, messageOf } from '../shared/results.js';
import { runAutocommit } from './autocommit.run.js';
import { runExactlyOnce } from './exactly-once.run.js';
import { sqlFields, statementsOf } from './sql.fields.js';
import type { RowLimits } from './sql.statement.js';
import type { TargetPools } from './target.pool.js';

export interface SqlOptions {
  pools: TargetPools;
  limits?: RowLimits;
}

const defaultLimits: RowLimits = { maxRows: 10_000, maxBytes: 8 * 1024 * 1024 };

export async function runSql(context: EffectContext, options: SqlOptions): Promise<EffectResult> {
  const checked = checkFields(sqlFields, context.fields);
  if ('failure' in checked) return checked.failure;
  const { fields } = checked;
  let target: { type: string; url: string };
  try {
    target = await context.connection(fields.connection);
  } catch (error) {
    return failed('unknown-connection', messageOf(error));
  }
  if (!/^postgres(ql)?$/.test(target.type))
    return failed(
      'connection-type',
      `The connection ${fields.connection} is of type ${target.type}; sql needs one of type postgresql`,
    );
  const run = {
    context,
    url: target.url,
    statements: statementsOf(fields),
    several: fields.statements !== undefined,
    pools: options.pools,
    limits: options.limits ?? defaultLimits,
    signal:
      context.timeout === undefined
        ? context.signal
        : AbortSignal.any([context.signal, AbortSignal.timeout(context.timeout + 2_000)]),
  };
  return fields.exactlyOnce ? runExactlyOnce(run) : runAutocommit(run);
}
