import type { Append, CommandHandler, EventLog, WakeUp } from '@baton/event-log';
import { evolve, initialState, type ProcessEvent, type ProcessState, type RecordedEvent } from '@baton/process';
import type { Way } from '../duty/duty.js';
import { type Logger, type Meter, schedulerActor } from '../scheduler.ports.js';
import type { Candidate, QueueStore } from './queue.store.js';
import type { SlotStore } from './slot.store.js';

/** The key whose slots are the processes admitted under the admission limit. Not a name a definition could give. */
export const admissionKey = '\u0001admission';

const busyAt = 4;

export interface AdmissionOptions {
  queue: Pick<QueueStore, 'look'>;
  slots: Pick<SlotStore, 'take' | 'holders' | 'seed'>;
  log: Pick<EventLog, 'readMany' | 'appendEach'>;
  commands: Pick<CommandHandler, 'handle'>;
  wakeUp: Pick<WakeUp, 'notify'>;
  /** How many processes may run at once; null: no limit. */
  maxRunning(): number | null;
  newId(): string;
  /** Candidates of one round. */
  batch: number;
  logger: Logger;
  meter: Meter;
}

interface Sorted {
  admit: Candidate[];
  turnedAway: Candidate[];
  /** Per key: how many wait for the oldest to go. */
  toCancel: Map<string, number>;
}

/**
 * Job: one round of admission: looks into the queue, takes slots, appends ProcessScheduled for all that fit in one go.
 * Boundary: wakes nobody but executors; when the next round comes is the duty's business.
 * Invariants:
 * 1. A slot is committed before ProcessScheduled is appended, and never given back here: what was taken and not used is
 *    used by the next round, or freed with the end of its process.
 * 2. Several schedulers may run rounds at once: the slot's lock and the stream's version decide, never a lease.
 * 3. A crash between slot and append leaves a process that holds its slot and is still queued: the next look takes it first.
 * 4. Children are admitted beyond the admission limit: their parents hold its slots and wait for them. Under a limit they
 *    come first, so that no backlog that waits for a slot keeps them from being seen.
 * 5. One process that cannot be admitted does not hold up the others.
 */
export class Admission {
  /** Several came at once: more are on their way, and are better admitted together than each batch of them alone. */
  isBusy = false;
  #limited = false;
  constructor(private readonly options: AdmissionOptions) {}

  /** 'again': more may be admitted at once; a number: the next start time is so many ms away. */
  async round(way: Way = 'self'): Promise<'again' | number | undefined> {
    const { queue, batch } = this.options;
    const { candidates, nextStartIn } = await queue.look(batch, batch);
    this.isBusy = false;
    if (candidates.length > 0) {
      const settled = await this.#admit(this.#firstOf(candidates, batch));
      this.isBusy = settled >= busyAt;
      if (settled > 0) this.options.meter.count('baton.wakeups', settled, { work: 'admission', way });
      if (candidates.length >= batch && settled > 0) return 'again';
    }
    return nextStartIn ?? undefined;
  }

  #firstOf(candidates: Candidate[], batch: number): Candidate[] {
    if (this.options.maxRunning() === null) return candidates.slice(0, batch);
    const [children, others] = [true, false].map((isChild) => candidates.filter((one) => one.isChild === isChild));
    return [...children!, ...others!].slice(0, batch);
  }

  async #admit(candidates: Candidate[]): Promise<number> {
    const sorted = await this.#sort(candidates);
    for (const [key, waiting] of sorted.toCancel) await this.#cancelOldest(key, waiting);
    if (sorted.admit.length + sorted.turnedAway.length === 0) return 0;
    const appends = await this.#appendsFor(sorted);
    let settled = 0;
    // Refused or in doubt: the next look tells (invariant 3).
    (await this.options.log.appendEach(appends)).forEach((outcome, at) => {
      if (outcome.status === 'appended') settled += 1;
      if (outcome.status === 'bad')
        this.options.logger.error(
          { err: outcome.error, process: appends[at]!.stream },
          'a process cannot be admitted: its event cannot be stored',
        );
    });
    if (settled > 0) this.options.wakeUp.notify('runnable');
    this.options.meter.count('baton.scheduler.admitted', settled);
    return settled;
  }

  async #sort(candidates: Candidate[]): Promise<Sorted> {
    const limit = await this.#limit();
    const answers = await this.options.slots.take(
      candidates.map(({ stream, key, isChild }) => ({
        stream,
        needs: [
          ...(key === null ? [] : [{ key: key.name, limit: key.limit }]),
          ...(limit === null || isChild ? [] : [{ key: admissionKey, limit }]),
        ],
      })),
    );
    const sorted: Sorted = { admit: [], turnedAway: [], toCancel: new Map() };
    for (const candidate of candidates) {
      const answer = answers.get(candidate.stream);
      if (answer?.granted) sorted.admit.push(candidate);
      else if (candidate.key !== null && answer?.full === candidate.key.name) holdBack(candidate, sorted);
    }
    return sorted;
  }

  async #limit(): Promise<number | null> {
    const limit = this.options.maxRunning();
    if (limit !== null && !this.#limited) await this.options.slots.seed(admissionKey);
    this.#limited = limit !== null;
    return limit;
  }

  async #appendsFor({ admit, turnedAway }: Sorted): Promise<Append[]> {
    const away = new Set(turnedAway);
    const appends: Append[] = [];
    for (const [candidate, version] of await this.#waiting([...admit, ...turnedAway])) {
      const event: ProcessEvent = away.has(candidate)
        ? turnAway(candidate.key!)
        : { type: 'ProcessScheduled', data: {} };
      appends.push({
        stream: candidate.stream,
        expected: version,
        owner: null,
        events: [{ id: this.options.newId(), event, metadata: { actor: schedulerActor.id } }],
      });
    }
    return appends;
  }

  /**
   * Those that still wait, with their versions. At version 1 nothing but the request is on record, which no reading makes
   * any surer: of nearly all processes nothing is read, and the append is refused if something came meanwhile.
   */
  async #waiting(candidates: readonly Candidate[]): Promise<[Candidate, number][]> {
    const older = candidates.filter(({ version }) => version !== 1);
    const found =
      older.length === 0
        ? new Map<string, RecordedEvent[]>()
        : await this.options.log.readMany(older.map(({ stream }) => ({ stream, after: 0 })));
    return candidates.flatMap((candidate): [Candidate, number][] => {
      if (candidate.version === 1) return [[candidate, 1]];
      let state: ProcessState = initialState(candidate.stream);
      for (const event of found.get(candidate.stream) ?? []) state = evolve(state, event);
      // Somebody else was faster, or a person cancelled it: its place in the queue is gone or about to go.
      const waits = state.requested && !state.scheduled && state.end === null && state.cancel === null;
      return waits ? [[candidate, state.version]] : [];
    });
  }

  async #cancelOldest(key: string, waiting: number): Promise<void> {
    const holders = await this.options.slots.holders(key, waiting);
    for (const stream of holders) {
      await this.options.commands.handle(stream, {
        kind: 'cancel',
        by: schedulerActor,
        reason: `A newer process takes its slot of the concurrency key "${key}" (onLimit: cancelOldest).`,
      });
    }
  }
}

function holdBack(candidate: Candidate, sorted: Sorted): void {
  const { name, onLimit } = candidate.key!;
  if (onLimit === 'reject' || onLimit === 'skip') sorted.turnedAway.push(candidate);
  if (onLimit === 'cancelOldest') sorted.toCancel.set(name, (sorted.toCancel.get(name) ?? 0) + 1);
}

function turnAway(key: NonNullable<Candidate['key']>): ProcessEvent {
  const reason = `The concurrency key "${key.name}" was at its limit of ${key.limit} (onLimit: ${key.onLimit}).`;
  if (key.onLimit === 'skip')
    return { type: 'ProcessCancelled', data: { by: schedulerActor, reason, compensated: [], notUndone: [] } };
  return {
    type: 'ProcessFailed',
    data: { error: { code: 'concurrency-limit', message: reason }, compensated: [], notUndone: [] },
  };
}
