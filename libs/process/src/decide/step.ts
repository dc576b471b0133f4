import type { CompiledDefinition } from '../compile/compiled.types.js';
import type { HeldRow, OperatorError, ProcessEvent, Timers } from '../events/process-event.types.js';
import { type Expression, ExpressionError, type Template } from '../expressions/expression.types.js';
import type { Json } from '../json.types.js';
import { fold } from '../state/evolve.js';
import { newOperator, type OperatorState, type ProcessState } from '../state/process-state.js';
import type { DecideContext, Decision } from './decision.types.js';
import { expressionScope, type ScopeExtra } from './expression-scope.js';
import { isoTime } from './iso-time.js';
import { locate } from './locate.js';
import type { Plan, Unit, Work } from './plan.js';

/** Begins in one decision: more are left to the next, so that no append grows without bound. */
export const maxBegins = 500;

/** One call of decide: where its parts leave events, effects and further work. */
export class Step {
  readonly decision: Decision = {
    events: [],
    begin: [],
    abort: [],
    spawn: [],
    tell: [],
    wakeAt: null,
    disposition: 'running',
    heldBy: [],
  };
  begins = 0;
  readonly nowIso: string;
  /** By an incident of the whole process. Asked once: with many incidents the answer is not free. */
  private readonly held: boolean;

  constructor(
    readonly definition: CompiledDefinition,
    readonly state: ProcessState,
    readonly context: DecideContext,
    readonly plan: Plan,
  ) {
    this.nowIso = isoTime(context.now);
    this.held = wholeProcessIncident(state);
  }

  emit(event: ProcessEvent): void {
    fold(this.state, event);
    this.decision.events.push(event);
  }

  todo(work: Work): void {
    this.plan.work.push(work);
  }

  /** Nothing new begins: a person paused it, or the executor drains. */
  get restrained(): boolean {
    const { paused, scheduled, cancel } = this.state;
    if (paused || (!scheduled && cancel === null)) return true;
    // A cancellation is a person's word, too: it does not wait for another one about an incident.
    return this.context.draining === true || (this.held && cancel === null);
  }

  operator(unit: Unit): OperatorState {
    return this.state.operators.get(unit.path) ?? newOperator(unit.path, unit.op.type, unit.op.class);
  }

  /** Throws ExpressionError; `attempting` turns that into a failure. */
  evaluate(what: Expression | Template, path: string | null, extra: ScopeExtra = {}): Json {
    const place = path === null ? null : (locate(this.definition, path) ?? null);
    const status = extra.status ?? this.processStatus();
    const scope = expressionScope(
      this.state,
      this.context,
      place,
      { scope: this.definition.operators, prefix: '' },
      what.reads,
      { ...extra, status },
    );
    return what.evaluate(scope);
  }

  /** Of an item that is not recorded yet: its key. */
  evaluateItem(what: Template, loop: string, item: Json, index: number, as: string): Json {
    const place = locate(this.definition, loop) ?? null;
    const root = { scope: this.definition.operators, prefix: '' };
    const scope = expressionScope(this.state, this.context, place, root, what.reads);
    return what.evaluate({ ...scope, item, index, locals: { ...scope.locals, [as]: item } });
  }

  processStatus(): string {
    return this.state.finalStatus ?? (this.state.compensation === null ? 'running' : 'compensating');
  }

  timers(unit: Unit, timers: Timers | undefined): void {
    if (timers === undefined) return;
    for (const kind in timers) {
      const dueAt = timers[kind as keyof Timers];
      if (dueAt !== undefined) this.plan.timers.add(unit.path, kind as keyof Timers, dueAt);
    }
  }

  after(ms: number): string {
    return isoTime(this.context.now + ms);
  }

  /** Rows beside the log that are open for this operator. */
  heldRows(unit: Unit): { held?: HeldRow[] } {
    const operator = this.state.operators.get(unit.path);
    if (operator === undefined) return {};
    const held: HeldRow[] = [];
    if (operator.task !== undefined && this.state.tasks.has(operator.task.id)) held.push('task');
    if (operator.incident !== undefined) held.push('incident');
    if (operator.waitsFor?.kind === 'message' || operator.waitsFor?.kind === 'topic') held.push('receiver');
    if (operator.waitsFor?.kind === 'job') held.push('job');
    return held.length === 0 ? {} : { held };
  }
}

export function wholeProcessIncident(state: ProcessState): boolean {
  for (const incident of state.incidents.values()) {
    if (incident.path === null) return true;
  }
  return false;
}

/** An expression that fails makes the operator fail, with code `expression`; anything else is a bug and goes on up. */
export function attempting<T>(act: () => T): { value: T } | { error: OperatorError } {
  try {
    return { value: act() };
  } catch (problem) {
    if (!(problem instanceof ExpressionError)) throw problem;
    return { error: { code: 'expression', message: problem.message, details: { expression: problem.source } } };
  }
}
