import { decideCommand } from '../command/decide-command.js';
import { compile } from '../compile/compile.js';
import type { CompiledDefinition } from '../compile/compiled.types.js';
import { checkInvariants } from '../events/check-invariants.js';
import type { ProcessEvent, ProcessEventData, ProcessEventType, RecordedEvent } from '../events/process-event.types.js';
import type { JsonObject } from '../json.types.js';
import { evolve } from '../state/evolve.js';
import { initialState, type ProcessState } from '../state/process-state.js';
import { toSnapshot } from '../state/snapshot.js';
import { decide } from './decide.js';
import type { DecideContext, Decision, EffectOutcome, EffectResult, ProcessCommand } from './decision.types.js';

export const id = 'c1-01890a5d-ac96-774b-bcce-b302099a8057';
export const start = Date.parse('2026-11-23T10:00:00.000Z');

export function compiled(text: string): CompiledDefinition {
  const result = compile(`kind: Process\nname: t/test\n${text}`, { version: 1 });
  if ('faults' in result) throw new Error(result.faults.map((fault) => `${fault.path}: ${fault.message}`).join('\n'));
  return result.definition;
}

/** A process in memory: its log, its state, one executor that drives it, and a clock that stands still. */
export class Given {
  readonly log: RecordedEvent[] = [];
  state: ProcessState = initialState();
  now = start;
  executor = 'e1';
  /** Large outputs by digest, as the driver loads them. */
  artifact: DecideContext['artifact'];
  over = new Set<string>();
  running = new Set<string>();
  draining = false;
  last: Decision | null = null;
  readonly begun: Decision['begin'] = [];

  constructor(
    readonly definition: CompiledDefinition,
    request: Partial<ProcessEventData['ProcessRequested']> = {},
  ) {
    this.record({
      type: 'ProcessRequested',
      data: {
        definition: { name: definition.name, version: definition.version, digest: definition.digest },
        environment: null,
        inputs: {},
        priority: 5,
        labels: {},
        requester: { id: 'ann', groups: [] },
        ...request,
      },
    });
    this.record({ type: 'ProcessScheduled', data: {} });
    this.record({ type: 'ProcessStarted', data: { executor: this.executor } });
  }

  static of(text: string, inputs: JsonObject = {}): Given {
    return new Given(compiled(text), { inputs });
  }

  record(event: ProcessEvent, fold = true): void {
    const recorded: RecordedEvent = {
      ...event,
      id: `event-${this.log.length + 1}`,
      stream: id,
      sequence: this.log.length + 1,
      recordedAt: new Date(this.now).toISOString(),
      schemaVersion: 1,
      logIncarnation: 1,
      metadata: {},
    };
    this.log.push(recorded);
    if (fold) evolve(this.state, recorded);
  }

  get context(): DecideContext {
    return {
      now: this.now,
      executor: this.executor,
      isOver: (incarnation) => this.over.has(incarnation),
      isRunning: (path, attempt) => this.running.has(`${path}#${attempt}`),
      draining: this.draining,
      ...(this.artifact === undefined ? {} : { artifact: this.artifact }),
    };
  }

  /** The types and paths of what was decided, e.g. `OperatorStarted a`. */
  decide(outcomes: EffectOutcome[] = []): string[] {
    const before = this.log.length;
    const decision = decide(this.definition, this.state, this.context, outcomes);
    for (const event of decision.events) this.record(event, false);
    for (const effect of decision.begin) {
      this.running.add(`${effect.path}#${effect.attempt}`);
      this.begun.push(effect);
    }
    this.last = decision;
    this.check();
    return this.log.slice(before).map(named);
  }

  end(path: string, result: EffectResult, attempt = this.state.operators.get(path)?.attempt ?? 1): string[] {
    this.running.delete(`${path}#${attempt}`);
    const at = new Date(this.now).toISOString();
    return this.decide([{ path, attempt, result, startedAt: at, endedAt: at }]);
  }

  completes(
    path: string,
    output: EffectResult & { status: 'completed' } extends { output?: infer O } ? O : never = null,
  ) {
    return this.end(path, { status: 'completed', output });
  }

  fails(path: string, code = 'connection'): string[] {
    return this.end(path, { status: 'failed', error: { code, message: `${code} failed` } });
  }

  /** Moves the clock; a parked process is claimed again, as the timer's claimer would. */
  after(ms: number): string[] {
    this.now += ms;
    return this.again();
  }

  again(): string[] {
    if (this.state.owner === null && this.state.end === null) {
      this.record({ type: 'ProcessClaimed', data: { executor: this.executor } });
    }
    return this.decide();
  }

  command(command: ProcessCommand): string[] {
    const refused = this.commandOnly(command);
    if (refused.length > 0) return refused;
    if (command.kind === 'retry') this.record({ type: 'ProcessScheduled', data: {} });
    return this.again();
  }

  /** Recorded, and nobody has taken it up yet. */
  commandOnly(command: ProcessCommand): string[] {
    const result = decideCommand(this.state, command, this.now);
    if ('refused' in result) return [`refused ${result.refused.code}`];
    for (const event of result.events) this.record(event);
    return [];
  }

  /** Another executor takes it over; what ran here is gone. */
  takenOverBy(executor: string, proven = true): string[] {
    if (proven) this.over.add(this.executor);
    const from = this.executor;
    this.executor = executor;
    this.running.clear();
    this.reload();
    this.record({
      type: 'ProcessTakenOver',
      data: { executor, from, eventsFolded: this.log.length, operatorsPassedOver: 0 },
    });
    return this.decide();
  }

  /** As a reader of the log: everything folded from the beginning. */
  replayed(): ProcessState {
    const state = initialState();
    for (const event of this.log) evolve(state, event);
    return state;
  }

  /** After every decision: the stream is sound, and whoever reads it has the very state that was decided on. */
  private check(): void {
    const broken = checkInvariants(this.log);
    if (broken.length > 0) throw new Error(broken.map((one) => `${one.invariant}: ${one.message}`).join('\n'));
    const value = (state: ProcessState) => ({ ...toSnapshot(state).state, times: null });
    const [live, read] = [value(this.state), value(this.replayed())];
    if (JSON.stringify(sorted(live)) !== JSON.stringify(sorted(read))) {
      throw new Error(`Replay differs:\n${JSON.stringify(sorted(live))}\n${JSON.stringify(sorted(read))}`);
    }
  }

  reload(): void {
    this.state = this.replayed();
  }

  status(path: string): string {
    return this.state.operators.get(path)?.status ?? 'pending';
  }

  event<T extends ProcessEventType>(type: T): ProcessEventData[T] | undefined {
    return this.log.findLast((event) => event.type === type)?.data as ProcessEventData[T] | undefined;
  }

  get types(): string[] {
    return this.log.map(named);
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

export function named(event: ProcessEvent): string {
  const data = event.data as { path?: string; timer?: string };
  const name = data.path === undefined || event.type.startsWith('Process') ? event.type : `${event.type} ${data.path}`;
  return data.timer === undefined ? name : `${name} ${data.timer}`;
}
