import { raiseIncident } from './lifecycle.decide.js';
import type { Unit } from './plan.js';
import { type Step, wholeProcessIncident } from './step.js';
import { nextTimer } from './timers.decide.js';

/** A wait that ends sooner is waited for in the executor's memory; parking and claiming would cost more than it. */
export const parkAfter = 1_000;
const maxNamed = 20;

/** Whether the process stays owned, and until when it may be left alone. */
export function dispose(step: Step): void {
  const { state, plan, decision, context } = step;
  if (state.end !== null) {
    decision.disposition = 'ended';
    state.plan = null;
    return;
  }
  const timer = step.restrained ? undefined : nextTimer(step);
  const more = !step.restrained && (plan.deferred.length > 0 || plan.pumps.size > 0);
  decision.wakeAt = more ? context.now : (timer?.due ?? null);
  const runningHere = plan.effects.size - plan.foreign.size;
  if (runningHere > 0) {
    decision.disposition = 'running';
    return;
  }
  if (context.draining === true) {
    step.emit({ type: 'ProcessReleased', data: { executor: context.executor, reason: 'its executor drains' } });
    decision.disposition = 'released';
    decision.wakeAt = null;
    state.plan = null;
    return;
  }
  if (plan.foreign.size > 0) {
    decision.disposition = 'held';
    return;
  }
  // Children are made and told before the process is let go: nobody would do it after.
  if (more || decision.spawn.length > 0 || decision.tell.length > 0) {
    decision.disposition = 'running';
    decision.wakeAt = context.now;
    return;
  }
  if (timer !== undefined && timer.due - context.now <= parkAfter) {
    decision.disposition = 'running';
    return;
  }
  const waitsFor = reasons(step);
  if (waitsFor.length === 0) {
    const reason =
      'Nothing runs, nothing waits and nothing may begin, and yet it has not ended. This is a fault of Baton.';
    raiseIncident(step, 'stuck', undefined, reason, ['rerun', 'fail']);
    waitsFor.push('incident');
  }
  const dueAt = timer?.dueAt ?? null;
  step.emit({ type: 'ProcessParked', data: { waitsFor, dueAt } });
  decision.disposition = 'parked';
  decision.wakeAt = null;
  state.plan = null;
}

function reasons(step: Step): string[] {
  const { state, plan } = step;
  const named: string[] = [];
  if (state.paused) named.push('resume');
  if (wholeProcessIncident(state)) named.push('incident');
  for (const incident of state.incidents.values()) {
    if (incident.path !== null && named.length < maxNamed) named.push(`incident ${incident.path}`);
  }
  for (const unit of plan.waiting) {
    if (named.length >= maxNamed) break;
    named.push(reason(step, unit));
  }
  if (named.length === 0 && !state.scheduled && state.cancel === null) named.push('admission');
  return [...new Set(named)];
}

function reason(step: Step, unit: Unit): string {
  const { status, waitsFor, incident } = step.operator(unit);
  if (incident !== undefined) return `incident ${unit.path}`;
  if (status === 'retrying') return `retry ${unit.path}`;
  return `${waitsFor?.kind ?? status} ${unit.path}`;
}
