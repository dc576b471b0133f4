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
import { BadEvent, type EventLog, type WakeUp } from '../event-log.port.js';
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

interface Waiting {
  command: ProcessCommand;
  metadata: EventMetadata;
  signal: AbortSignal | undefined;
  settle(result: CommandResult): void;
  fail(error: unknown): void;
}

interface Folded {
  state: ProcessState | null;
  version: number;
}

const mostTogether = 200;

/**
 * Commands from outside (an answer, a message, cancel, a child's end): load, decide, append at that version with no
 * owner, again on conflict. Holds no lock over a round trip; a lost answer is settled by the version. What another release
 * wrote is not decided about: its events would be folded to a state that is not the process's.
 *
 * Commands to one process that come while another is under way are decided one after the other on the same state, and
 * appended together: alone, each would fold the whole process, and all but one would be refused (a thousand answers into
 * one process took minutes). One that may be given up (`signal`) is appended alone.
 */
export class CommandHandler {
  readonly #pause: (ms: number) => Promise<void>;
  readonly #newId: () => string;
  readonly #queues = new Map<string, Waiting[]>();
  constructor(private readonly options: CommandHandlerOptions) {
    this.#pause = options.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.#newId = options.newId ?? uuidv7;
  }

  handle(
    stream: string,
    command: ProcessCommand,
    metadata: EventMetadata = {},
    signal?: AbortSignal,
  ): Promise<CommandResult> {
    return new Promise((settle, fail) => {
      const waiting = { command, metadata, signal, settle, fail };
      const queue = this.#queues.get(stream);
      if (queue) {
        queue.push(waiting);
        return;
      }
      const own = [waiting];
      this.#queues.set(stream, own);
      void this.#work(stream, own);
    });
  }

  async #work(stream: string, queue: Waiting[]): Promise<void> {
    const folded: Folded = { state: null, version: 0 };
    while (queue.length > 0) {
      const batch = nextOf(queue);
      try {
        await this.#together(stream, batch, folded);
      } catch (error) {
        reset(folded);
        if (!(error instanceof BadEvent) || batch.length === 1) for (const { fail } of batch) fail(error);
        else await this.#eachAlone(stream, batch, folded);
      }
    }
    this.#queues.delete(stream);
  }

  /** One of them cannot be stored: the others must not suffer for it. */
  async #eachAlone(stream: string, batch: readonly Waiting[], folded: Folded): Promise<void> {
    for (const one of batch) {
      try {
        await this.#together(stream, [one], folded);
      } catch (error) {
        reset(folded);
        one.fail(error);
      }
    }
  }

  async #together(stream: string, batch: readonly Waiting[], folded: Folded): Promise<void> {
    const signal = batch[0]?.signal;
    for (let conflicts = 0; ; conflicts += 1) {
      signal?.throwIfAborted();
      const refusal = await this.#catchUp(stream, folded);
      const { state, version } = folded;
      if (refusal !== null || state === null) {
        for (const { settle } of batch) settle(refusal === null ? { status: 'not-found' } : refused(refusal));
        reset(folded);
        return;
      }
      const { results, events } = this.#decide(state, version, batch);
      const settle = (): void => {
        for (const [at, one] of batch.entries()) one.settle(results[at]!);
      };
      if (events.length === 0) {
        settle();
        return;
      }
      const result = await appendUntilSettled(
        this.options.log,
        { stream, expected: version, events },
        this.#pause,
        signal,
      );
      if (result.status === 'appended') {
        // A single one was not folded: it is read with the next look.
        if (batch.length > 1) folded.version = result.version;
        this.options.wakeUp?.notify('runnable');
        this.options.wakeUp?.notify('owned', stream);
        settle();
        return;
      }
      // Somebody was faster: all is decided again. What was folded ahead of the append is not in the log.
      if (batch.length > 1) reset(folded);
      // Busy streams are given a moment.
      if (conflicts > 2) await this.#pause(Math.random() * Math.min(100, 5 * conflicts));
    }
  }

  /** Each sees what those before it changed; a single one leaves the state as the log has it. */
  #decide(
    state: ProcessState,
    from: number,
    batch: readonly Waiting[],
  ): { results: CommandResult[]; events: { id: string; event: ProcessEvent; metadata: EventMetadata }[] } {
    const events: { id: string; event: ProcessEvent; metadata: EventMetadata }[] = [];
    const results = batch.map(({ command, metadata }): CommandResult => {
      const decision = decideCommand(state, command, this.options.now());
      if ('refused' in decision) return refused(decision.refused);
      for (const event of decision.events) {
        events.push({ id: this.#newId(), event, metadata });
        if (batch.length > 1) evolve(state, event);
      }
      return { status: 'done', version: from + events.length, events: decision.events };
    });
    return { results, events };
  }

  async #catchUp(stream: string, folded: Folded): Promise<Refusal | null> {
    for (const event of await this.options.log.read(stream, folded.version)) {
      const read = upcast(event);
      if ('refused' in read) return notUnderstood(event, read.refused.reason);
      folded.state = evolve(folded.state ?? initialState(stream), { ...event, ...read.event });
      folded.version = event.sequence;
    }
    return null;
  }
}

/** The next ones that go together, in the order in which they came. */
function nextOf(queue: Waiting[]): Waiting[] {
  if (queue[0]?.signal !== undefined) return queue.splice(0, 1);
  const end = queue.findIndex(({ signal }, at) => signal !== undefined || at === mostTogether);
  return queue.splice(0, end < 0 ? queue.length : end);
}

function reset(folded: Folded): void {
  folded.state = null;
  folded.version = 0;
}

function refused(refusal: Refusal): CommandResult {
  return { status: 'refused', refusal };
}

function notUnderstood({ stream, sequence }: RecordedEvent, reason: string): Refusal {
  return {
    code: 'conflict',
    reason: `Event ${sequence} of ${stream} was written by a later release: ${reason}`,
    remedy: 'Update this service, and try again.',
  };
}
