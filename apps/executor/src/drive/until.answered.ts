import { type Clock, wait } from '../clock/clock.port.js';
import type { Logger } from '../executor.ports.js';
import { EventNotUnderstood } from './stream.loader.js';

/** Asks again, with growing pauses, while the database is away. Null: the asker is over, nobody wants the answer. */
export async function untilAnswered<T>(
  ports: { clock: Clock; random(): number; logger: Logger },
  isOver: () => boolean,
  ask: () => Promise<T>,
): Promise<{ value: T } | null> {
  for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
    if (isOver()) return null;
    try {
      return { value: await ask() };
    } catch (error) {
      if (error instanceof EventNotUnderstood) throw error;
      ports.logger.warn({ error: String(error) }, 'no answer from the database; asked again');
    }
    await wait(ports.clock, pause * (0.5 + ports.random()));
  }
}
