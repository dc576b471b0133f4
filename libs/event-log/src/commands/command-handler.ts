import {
  decideCommand,
  type EventMetadata,
  evolve,
  initialState,
  type ProcessCommand,
  type ProcessEvent,
  type ProcessState,
  type RecordedEvent,
  type Refusal,
  upcast,
} from '@baton/process';
import { appendUntilSettled } from '../append/settle.js';
import type { EventLog, WakeUp } from '../event-log.port.js';
import { uuidv7 } from '../process-id.js';

export type CommandResult =
  | { status: 'done'; version: number; events: ProcessEvent[] }
  | { status: 'refused'; refusal: Refusal }
  | { status: 'not-found' };

export interface CommandHandlerOptions {
  log: Pick<EventLog, 'appendEach' | 'read'>;
  /** ms since 1970 by the database's clock. */
  now(): number;
  wakeUp?: Pick<WakeUp, 'notify'>;
  pause?(ms: number): Promise<void>;
  newId?(): string;
}

/**
 * Commands from outside (an answer, a message, cancel, a child's end): load, decide, append at that version with no
 * owner, again on conflict. Holds no lock over a round trip; a lost answer is settled by the version. What another release
 * wrote is not decided about: its events would be folded to a state that is not the process's.
 */
export class CommandHandler {
  readonly #pause: (ms: number) => Promise<void>;
  readonly #newId: () => string;
  constructor(private readonly options: CommandHandlerOptions) {
    this.#pause = options.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.#newId = options.newId ?? uuidv7;
  }

  async handle(
    stream: string,
    command: ProcessCommand,
    metadata: EventMetadata = {},
    signal?: AbortSignal,
  ): Promise<CommandResult> {
    let state: ProcessState | null = null;
    let version = 0;
    for (let conflicts = 0; ; conflicts += 1) {
      signal?.throwIfAborted();
      for (const event of await this.options.log.read(stream, version)) {
        const read = upcast(event);
        if ('refused' in read) return { status: 'refused', refusal: notUnderstood(event, read.refused.reason) };
        state = evolve(state ?? initialState(stream), { ...event, ...read.event });
        version = event.sequence;
      }
      if (!state) return { status: 'not-found' };
      const decision = decideCommand(state, command, this.options.now());
      if ('refused' in decision) return { status: 'refused', refusal: decision.refused };
      if (decision.events.length === 0) return { status: 'done', version, events: [] };
      const events = decision.events.map((event) => ({ id: this.#newId(), event, metadata }));
      const result = await appendUntilSettled(
        this.options.log,
        { stream, expected: version, events },
        this.#pause,
        signal,
      );
      if (result.status === 'appended') {
        this.options.wakeUp?.notify('runnable');
        this.options.wakeUp?.notify('owned', stream);
        return { status: 'done', version: result.version, events: decision.events };
      }
      // Somebody was faster: what they wrote is folded on top and decided again. Busy streams are given a moment.
      if (conflicts > 2) await this.#pause(Math.random() * Math.min(100, 5 * conflicts));
    }
  }
}

function notUnderstood({ stream, sequence }: RecordedEvent, reason: string): Refusal {
  return {
    code: 'conflict',
    reason: `Event ${sequence} of ${stream} was written by a later release: ${reason}`,
    remedy: 'Update this service, and try again.',
  };
}
