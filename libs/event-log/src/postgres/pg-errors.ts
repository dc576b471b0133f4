import { codeOf } from '../append/isolate.js';
import { InDoubt } from '../event-log.port.js';
import { LogUnavailable } from './log-unavailable.error.js';

/**
 * The server said no and nothing was written, but the same again may succeed: deadlocks, timeouts, limits; read-only for
 * a while (a standby that is being promoted, a disk that is full); a password or a database that is being changed.
 */
const again = new Set(['40P01', '40001', '55P03', '57014', '53300', '53400', '25006', '28P01', '28000', '3D000']);
/** The session ended; whether the commit took place is not known. */
const sessionEnded = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04']);

/** What is in the events was refused: data (22), constraint (23) and program limits (54). */
export function isBadData(error: unknown): boolean {
  const code = codeOf(error);
  return code.length === 5 && (code.startsWith('22') || code.startsWith('23') || code.startsWith('54'));
}

/** Nothing may be concluded from this failure; the version decides (rule 4). Disk full and its like are waited for. */
export function isUndecided(error: unknown): boolean {
  if (error instanceof InDoubt || error instanceof LogUnavailable) return true;
  const code = codeOf(error);
  if (again.has(code) || sessionEnded.has(code)) return true;
  if (code.length === 5 && /^(08|53|58|XX)/.test(code)) return true;
  return isConnectionLoss(error);
}

/** A service that starts says so instead of waiting: the login or the database is wrong. */
export function isLoginRefused(error: unknown): boolean {
  return ['28P01', '28000', '3D000'].includes(codeOf(error));
}

/** Without an SQLSTATE the client itself gave up: reset, end of stream, refused, timed out. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (sessionEnded.has(code) || code.startsWith('08')) return true;
  if (/^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/.test(code)) return true;
  return (
    error instanceof Error &&
    /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|not queryable|client was closed/i.test(
      error.message,
    )
  );
}

export function classifyAppendFailure(error: unknown): 'bad' | 'doubt' | 'other' {
  if (isBadData(error)) return 'bad';
  return isUndecided(error) ? 'doubt' : 'other';
}
