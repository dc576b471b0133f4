import {
  areIndependent,
  decideCommand,
  type EventMetadata,
  evolve,
  initialState,
  type ProcessCommand,
  type ProcessEvent,
  type Refusal,
  upcast,
} from '@baton/process';
import { appendUntilSettled } from '../append/settle.js';
import { BadEvent, type EventLog, type EventToFold, type WakeUp } from '../event-log.port.js';
import { uuidv7 } from '../process-id.js';
import { type Folded, KnownStates } from './known-states.js';

export type CommandResult =
  | { status: 'done'; version: number; events: ProcessEvent[] }
  | { status: 'refused'; refusal: Refusal }
  | { status: 'not-found' };

export interface CommandHandlerOptions {
  log: Pick<EventLog, 'appendEach' | 'read' | 'readToFold'>;
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

const mostTogether = 200;
/** Events of one page; nearly every process has fewer, and is read in one round trip. */
const page = 500;

/**
 * Commands from outside (an answer, a message, cancel, a child's end): load, decide, append at that version with no
 * owner, again on conflict. Holds no lock over a round trip; a lost answer is settled by the version. What another release
 * wrote is not decided about: its events would be folded to a state that is not the process's.
 *
 * Commands to one process that come while another is under way are decided one after the other on the same state, and
 * appended together: alone, each would fold the whole process, and all but one would be refused (a thousand answers into
 * one process took minutes). One that may be given up (`signal`) is appended alone.
 *
 * Of a long process only what is new is read, from command to command and from try to try: answers and messages are
 * folded when they are in the log, so that a state need not be thrown away when the driver was faster.
 */
export class CommandHandler {
  readonly #pause: (ms: number) => Promise<void>;
  readonly #newId: () => string;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #known = new KnownStates();
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
    while (queue.length > 0) {
      const batch = nextOf(queue);
      try {
        await this.#together(stream, batch);
      } catch (error) {
        if (!(error instanceof BadEvent) || batch.length === 1) for (const { fail } of batch) fail(error);
        else await this.#eachAlone(stream, batch);
      }
    }
    this.#queues.delete(stream);
  }

  /** One of them cannot be stored: the others must not suffer for it. */
  async #eachAlone(stream: string, batch: readonly Waiting[]): Promise<void> {
    for (const one of batch) {
      try {
        await this.#together(stream, [one]);
      } catch (error) {
        one.fail(error);
      }
    }
  }

  async #together(stream: string, batch: readonly Waiting[]): Promise<void> {
    const signal = batch[0]?.signal;
    const ahead = batch.length > 1 && !areIndependent(batch.map(({ command }) => command));
    for (let conflicts = 0; ; conflicts += 1) {
      signal?.throwIfAborted();
      const folded = await this.#load(stream);
      if (folded === null || 'refusal' in folded) {
        for (const { settle } of batch) settle(folded === null ? { status: 'not-found' } : refused(folded.refusal));
        return;
      }
      const { results, events } = this.#decide(folded, batch, ahead);
      const settle = (): void => {
        for (const [at, one] of batch.entries()) one.settle(results[at]!);
      };
      if (events.length === 0) {
        this.#known.keep(stream, folded);
        settle();
        return;
      }
      const result = await appendUntilSettled(
        this.options.log,
        { stream, expected: folded.version, events },
        this.#pause,
        signal,
      );
      if (result.status === 'appended') {
        if (!ahead) for (const { event } of events) folded.state = evolve(folded.state, event);
        this.#known.keep(stream, { state: folded.state, version: result.version, last: events.at(-1)!.id });
        this.options.wakeUp?.notify('runnable');
        this.options.wakeUp?.notify('owned', stream);
        settle();
        return;
      }
      // Somebody was faster: all is decided again. What was folded ahead of the append is not in the log.
      if (!ahead) this.#known.keep(stream, folded);
      // Busy streams are given a moment.
      if (conflicts > 2) await this.#pause(Math.random() * Math.min(100, 5 * conflicts));
    }
  }

  /** Each decides on what those before it changed: folded ahead of the append, where it makes a difference. */
  #decide(
    folded: Folded,
    batch: readonly Waiting[],
    ahead: boolean,
  ): { results: CommandResult[]; events: { id: string; event: ProcessEvent; metadata: EventMetadata }[] } {
    const events: { id: string; event: ProcessEvent; metadata: EventMetadata }[] = [];
    const results = batch.map(({ command, metadata }): CommandResult => {
      const decision = decideCommand(folded.state, command, this.options.now());
      if ('refused' in decision) return refused(decision.refused);
      for (const event of decision.events) {
        events.push({ id: this.#newId(), event, metadata });
        if (ahead) folded.state = evolve(folded.state, event);
      }
      return { status: 'done', version: folded.version + events.length, events: decision.events };
    });
    return { results, events };
  }

  /** As the log has it now. Null: there is no such process. */
  async #load(stream: string): Promise<Folded | { refusal: Refusal } | null> {
    const { log } = this.options;
    const known = this.#known.take(stream);
    if (known !== null) {
      const [same, ...news] = await log.read(stream, known.version - 1);
      if (same?.id === known.last) return fold(stream, known, news, news.at(-1)?.id);
    }
    const first = await log.read(stream, 0, page);
    if (first.length === 0) return null;
    const fresh: Folded = { state: initialState(stream), version: 0, last: '' };
    let folded = fold(stream, fresh, first, first.at(-1)?.id);
    for (let read = first.length; read === page && !('refusal' in folded); ) {
      const more = await log.readToFold(stream, folded.version, page);
      read = more.length;
      // Pages tell no ids: the last one is read once more, and what came meanwhile with it.
      const end = read === page ? [] : await log.read(stream, folded.version + read - 1);
      folded = fold(stream, folded, [...more, ...end.slice(1)], end.at(-1)?.id);
    }
    return folded;
  }
}

function fold(
  stream: string,
  folded: Folded,
  events: readonly EventToFold[],
  last: string | undefined,
): Folded | { refusal: Refusal } {
  for (const event of events) {
    const read = upcast(event);
    if ('refused' in read) return { refusal: notUnderstood(stream, event.sequence, read.refused.reason) };
    folded.state = evolve(folded.state, read.event);
    folded.version = event.sequence;
  }
  if (last !== undefined) folded.last = last;
  return folded;
}

/** The next ones that go together, in the order in which they came. */
function nextOf(queue: Waiting[]): Waiting[] {
  if (queue[0]?.signal !== undefined) return queue.splice(0, 1);
  const end = queue.findIndex(({ signal }, at) => signal !== undefined || at === mostTogether);
  return queue.splice(0, end < 0 ? queue.length : end);
}

function refused(refusal: Refusal): CommandResult {
  return { status: 'refused', refusal };
}

function notUnderstood(stream: string, sequence: number, reason: string): Refusal {
  return {
    code: 'conflict',
    reason: `Event ${sequence} of ${stream} was written by a later release: ${reason}`,
    remedy: 'Update this service, and try again.',
  };
}
