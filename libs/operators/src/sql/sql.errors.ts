import type { EffectResult, Json } from '@baton/process';
import pg from 'pg';
import { codeOf, failed, messageOf } from '../shared/results.js';

/** The codes that a definition's `retry: { on: [...] }` names. */
const byCode: Readonly<Record<string, string>> = {
  '40P01': 'deadlock',
  '40001': 'serialization',
  '55P03': 'lock-timeout',
  '57014': 'timeout',
  '25P03': 'timeout',
  '25P04': 'timeout',
  '23505': 'unique',
  '25001': 'transaction',
  '2D000': 'transaction',
  '53300': 'connection',
  '57P03': 'connection',
  '25006': 'read-only',
};
const byClass: Readonly<Record<string, string>> = {
  '08': 'connection',
  '22': 'data',
  '23': 'constraint',
  '28': 'authentication',
  '3D': 'connection',
  '40': 'serialization',
  '42': 'syntax',
  '44': 'constraint',
  '53': 'resources',
  '54': 'limit',
  '57': 'connection',
  P0: 'raised',
};

/** PostgreSQL has said no: nothing of the transaction stays. FATAL ends the session and is told apart by `isFatal`. */
export function isAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && !isFatal(error);
}

/** The session broke: what had been sent before may or may not have happened. */
export function isFatal(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || /^(08|57P0|25P0[34])/.test(error.code ?? '');
}

export function sqlFailure(error: unknown, where: string, extra: { [key: string]: Json } = {}): EffectResult {
  if (!(error instanceof pg.DatabaseError)) {
    const code = codeOf(error);
    return failed('connection', `${where}: ${messageOf(error)}`, code ? { code, ...extra } : extra);
  }
  const state = error.code ?? '';
  const code = byCode[state] ?? byClass[state.slice(0, 2)] ?? 'sql';
  const details: { [key: string]: Json } = { sqlState: state, ...extra };
  for (const key of ['detail', 'hint', 'constraint', 'table', 'column', 'position'] as const) {
    const value = error[key];
    if (typeof value === 'string') details[key] = value;
  }
  return failed(code, `${where}: ${error.message}${remedy(state)}`, details);
}

function remedy(state: string): string {
  if (state === '25001') return ' (it cannot run in a transaction: state exactlyOnce: false and a recovery)';
  if (state === '42601') return ' (one statement each; several are written as `statements`)';
  return '';
}
