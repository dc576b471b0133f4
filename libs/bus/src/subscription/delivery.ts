import { InDoubt, isConnectionLoss, isUndecided } from '@baton/event-log';
import {
  AlreadyHandled,
  type DeadLetter,
  type DeadLetters,
  type DeliveryContext,
  type Inbox,
  type Logger,
  type Meter,
  type OriginalRecord,
  type SubscriptionOptions,
  type Timers,
} from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';

export interface DeliveryOptions {
  inbox: Inbox;
  deadLetters: DeadLetters;
  timers: Timers;
  logger: Logger;
  meter: Meter;
  /** Attempts before an event becomes a dead letter. */
  attempts: number;
  /** The pause after the first failure, ms; it doubles, up to 5 s. */
  pauseMs: number;
}

export type Delivered = 'handled' | 'repeated' | 'failed' | 'stopped';

/**
 * Job: hands one event to one subscriber's handler, until it is settled.
 * Boundary: knows no transport; whoever calls moves its checkpoint or offset after the answer.
 * Invariants:
 * 1. Whatever a handler throws is caught, a TypeError like any other.
 * 2. With an inbox: 'handled' only after the inbox row is committed; an event that has one is not handled again.
 * 3. With an inbox: a handler that keeps failing makes a dead letter with the reason, stored before the answer.
 * 4. A database that is away is waited for, and uses up no attempt.
 * 5. Hints are tried once.
 */
export class Delivery {
  constructor(
    private readonly subscription: Pick<SubscriptionOptions, 'subscriber' | 'mode' | 'handle'>,
    private readonly options: DeliveryOptions,
  ) {}

  async deliver(event: BusEvent, origin: object, signal: AbortSignal, original?: OriginalRecord): Promise<Delivered> {
    const { timers, logger, meter } = this.options;
    const { subscriber, mode } = this.subscription;
    for (let attempt = 1, away = 0; ; ) {
      try {
        const delivered = await this.#once(event, attempt, signal);
        meter.count('baton.bus.delivered', 1, { subscriber, outcome: delivered });
        return delivered;
      } catch (error) {
        if (mode === 'hints') {
          logger.warn({ err: error, subscriber, event: event.id }, 'a hint could not be handled');
          return 'failed';
        }
        if (isAway(error)) away += 1;
        else if (attempt >= this.options.attempts) {
          const letter = { event, origin, attempts: attempt, ...(original === undefined ? {} : { original }) };
          return this.#bury(letter, error, signal);
        } else attempt += 1;
        logger.warn({ err: error, subscriber, event: event.id, attempt }, 'an event could not be handled; once more');
        await timers.sleep(this.#pause(attempt + away), signal);
        if (signal.aborted) return 'stopped';
      }
    }
  }

  /** One attempt more for a dead letter; what it failed with, or null. A database that is away is thrown. */
  async replay(event: BusEvent, signal: AbortSignal): Promise<string | null> {
    const { inbox } = this.options;
    const { subscriber } = this.subscription;
    if (event.name === '') return 'It was no event that could be read: it stands in the dead-letter topic as it was.';
    await inbox.forget(subscriber, event.id);
    try {
      await this.#once(event, 1, signal);
      return null;
    } catch (error) {
      if (isAway(error)) throw error;
      await inbox.record(subscriber, event.id);
      return reasonOf(error);
    }
  }

  async #once(event: BusEvent, attempt: number, signal: AbortSignal): Promise<Delivered> {
    const { subscriber, mode, handle } = this.subscription;
    const { inbox } = this.options;
    if (mode === 'inbox' && (await inbox.has(subscriber, event.id))) return 'repeated';
    let recorded = false;
    const context: DeliveryContext = {
      subscriber,
      attempt,
      signal,
      async transaction(work) {
        if (recorded) throw new Error('A handler has one transaction for one event.');
        const result = await inbox.transaction(subscriber, event.id, work);
        recorded = true;
        return result;
      },
    };
    try {
      await handle(event, context);
    } catch (error) {
      if (error instanceof AlreadyHandled) return 'repeated';
      throw error;
    }
    if (mode === 'inbox' && !recorded) await inbox.record(subscriber, event.id);
    return 'handled';
  }

  async #bury(
    letter: Omit<DeadLetter, 'subscriber' | 'reason'>,
    error: unknown,
    signal: AbortSignal,
  ): Promise<Delivered> {
    const { event, attempts } = letter;
    const { deadLetters, inbox, timers, logger, meter } = this.options;
    const { subscriber } = this.subscription;
    const reason = reasonOf(error);
    for (let failures = 1; ; failures += 1) {
      try {
        await deadLetters.put({ ...letter, subscriber, reason });
        await inbox.record(subscriber, event.id);
        break;
      } catch (failure) {
        logger.warn({ err: failure, subscriber, event: event.id }, 'a dead letter could not be stored; once more');
        await timers.sleep(this.#pause(failures), signal);
        if (signal.aborted) return 'stopped';
      }
    }
    meter.count('baton.bus.dead-letters', 1, { subscriber });
    logger.error({ err: error, subscriber, event: event.id, attempts }, 'an event became a dead letter');
    return 'failed';
  }

  #pause(failures: number): number {
    return Math.min(5_000, this.options.pauseMs * 2 ** Math.min(failures - 1, 20));
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

export function isAway(error: unknown): boolean {
  return error instanceof InDoubt || isConnectionLoss(error) || isUndecided(error);
}
