const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
/** Connection exceptions, admin shutdown, crash shutdown, cannot connect now, too many connections, read-only standby. */
const sqlStates = /^(08...|57P0[1-5]|53300|25006)$/;
const messages =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|connection (was )?closed|Query read timeout/i;

/** Whether an error tells of a database that cannot be reached, however deep it is wrapped. */
export function isDatabaseAway(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  if (error.name === 'InDoubt') return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (socketCodes.has(code) || sqlStates.test(code) || messages.test(error.message)) return true;
  const inner = 'driverError' in error ? error.driverError : error.cause;
  return isDatabaseAway(inner, depth + 1);
}
