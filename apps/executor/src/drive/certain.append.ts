import { type Append, type AppendResult, type EventLog, InDoubt } from '@baton/event-log';
import { type Clock, wait } from '../clock/clock.port.js';
import type { Appends, Logger } from '../executor.ports.js';
import { untilAnswered } from './until.answered.js';

export type CertainResult =
  | { status: 'appended'; version: number; recordedAt: string | null }
  /** Something else was written first, and the process is still ours (or already ours: our own earlier try). */
  | { status: 'reload' }
  /** Somebody else's, or nobody's: drop everything. */
  | { status: 'gone' };

/**
 * Appends until it is certain what came of it (design 2, rule 4).
 * Boundary: it knows no process state; what to do with a reload or with a loss is the driver's matter.
 *
 * A1. While nobody knows whether the commit happened it does not return, so nothing begins.
 * A2. Only the same append, with the same ids, is sent again, and only while the version is still the expected one.
 * A3. Beyond that version, the event at expected + 1 tells whether it was ours.
 * A4. A refusal is never taken for fencing: the head is read in a statement of its own, and tells.
 */
export class CertainAppend {
  constructor(
    private readonly ports: {
      clock: Clock;
      random(): number;
      appender: Appends;
      log: Pick<EventLog, 'heads' | 'read'>;
      logger: Logger;
    },
    private readonly incarnation: string,
  ) {}

  /** `isOver`: the caller has been fenced or stopped; then it gives up without a conclusion. */
  async append(append: Append & { expected: number }, isOver: () => boolean): Promise<CertainResult> {
    for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
      try {
        const result: AppendResult = await this.ports.appender.append(append);
        if (result.status === 'appended') return { ...result };
        return await this.classify(append.stream, isOver);
      } catch (error) {
        if (!(error instanceof InDoubt)) throw error;
        this.ports.logger.info(
          { process: append.stream, error: error.message },
          'append in doubt: the version decides',
        );
      }
      const resolved = await this.resolve(append, isOver);
      if (resolved !== 'undecided') return resolved;
      await wait(this.ports.clock, pause * (0.5 + this.ports.random()));
      if (isOver()) return { status: 'gone' };
    }
  }

  private async resolve(
    append: Append & { expected: number },
    isOver: () => boolean,
  ): Promise<CertainResult | 'undecided'> {
    return this.ask(isOver, async () => {
      const head = (await this.ports.log.heads([append.stream])).get(append.stream);
      if (head === undefined) return { status: 'gone' };
      if (head.version === append.expected) return 'undecided';
      const next = (await this.ports.log.read(append.stream, append.expected, 1))[0];
      const ours = next !== undefined && next.id === append.events[0]?.id;
      if (ours)
        return { status: 'appended', version: append.expected + append.events.length, recordedAt: next.recordedAt };
      return { status: head.owner === this.incarnation ? 'reload' : 'gone' };
    });
  }

  private classify(stream: string, isOver: () => boolean): Promise<CertainResult> {
    return this.ask(isOver, async () => {
      const head = (await this.ports.log.heads([stream])).get(stream);
      return { status: head?.owner === this.incarnation ? 'reload' : 'gone' };
    });
  }

  private async ask<T>(isOver: () => boolean, question: () => Promise<T>): Promise<T | { status: 'gone' }> {
    const answer = await untilAnswered(this.ports, isOver, question);
    return answer === null ? { status: 'gone' } : answer.value;
  }
}
