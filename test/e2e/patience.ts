import { setTimeout as delay } from 'node:timers/promises';

/** Where there is no event to wait for: looks again until there is something. The test's own time limit ends it. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, pauseMs = 100): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(pauseMs);
  }
}

/** Waits as long as the answer says. */
export async function heedRetryAfter(response: Response): Promise<void> {
  const seconds = Number(response.headers.get('retry-after'));
  if (!(seconds > 0)) throw new Error(`${response.status} says no Retry-After`);
  await delay(seconds * 1000);
}
