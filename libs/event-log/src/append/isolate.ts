import { type Append, type AppendOutcome, BadEvent, InDoubt } from '../event-log.port.js';

/**
 * One bad event does not stop the others (design 2, rule 6): a batch that fails for what is in it is halved and sent
 * again with the same ids until the culprit is alone. A lost answer leaves its part in doubt, and only that part.
 */
export async function appendIsolating(
  appends: readonly Append[],
  send: (appends: readonly Append[]) => Promise<AppendOutcome[]>,
  classify: (error: unknown) => 'bad' | 'doubt' | 'other',
): Promise<AppendOutcome[]> {
  try {
    return await send(appends);
  } catch (error) {
    const kind = classify(error);
    if (kind === 'doubt') {
      const doubt = error instanceof InDoubt ? error : new InDoubt(messageOf(error), { cause: error });
      return appends.map(() => ({ status: 'in-doubt', error: doubt }));
    }
    if (kind === 'other') throw error;
    if (appends.length === 1) {
      return [{ status: 'bad', error: new BadEvent(appends[0]!.stream, codeOf(error), messageOf(error)) }];
    }
    const half = appends.length >> 1;
    return [
      ...(await appendIsolating(appends.slice(0, half), send, classify)),
      ...(await appendIsolating(appends.slice(half), send, classify)),
    ];
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
