import type { CompiledDefinition } from '../compile/compiled.types.js';
import type { ProcessState } from '../state/process-state.js';
import { begin } from './begin.decide.js';
import { finish } from './cancel.decide.js';
import type { DecideContext, Decision, EffectOutcome } from './decision.types.js';
import { dispose } from './disposition.decide.js';
import { endingCause, steer, stopMode, stopReason } from './ending.decide.js';
import { itemEnded, pump } from './foreach.decide.js';
import { groupIsOver } from './group.decide.js';
import { complete, fail, neverBegan, outcomeUnknown, raiseIncident } from './lifecycle.decide.js';
import { followLinks } from './links.decide.js';
import { continueScope, doomAll, examineForeign, loadScope, resume } from './load.decide.js';
import { newPlan, newScopeRun, type Plan, type Unit } from './plan.js';
import { Step } from './step.js';
import { fireTimers, queueProcessTimers } from './timers.decide.js';

/**
 * What follows from definition, state and the outcomes of effects: events to append, and what to do once they are
 * committed. Folds its events into the state. The same state gives the same decision, whoever asks.
 */
export function decide(
  definition: CompiledDefinition,
  state: ProcessState,
  context: DecideContext,
  outcomes: EffectOutcome[],
): Decision {
  const kept = state.plan as Plan | null;
  const plan = kept !== null && kept.definition === definition ? kept : newPlan(definition);
  const step = new Step(definition, state, context, plan);
  if (state.end !== null) {
    step.decision.disposition = 'ended';
    return step.decision;
  }
  if (!state.requested) throw new Error('Expected the state of a requested process, but nothing was folded into it');
  if (plan !== kept) {
    state.plan = plan;
    load(step);
  }
  takeNews(step);
  work(step);
  for (const outcome of outcomes) applyOutcome(step, outcome);
  takeDeferred(step);
  do {
    work(step);
    examineForeign(step);
    work(step);
  } while (fireTimers(step) || steer(step) || plan.work.length > 0);
  plan.fresh = false;
  dispose(step);
  return step.decision;
}

function load(step: Step): void {
  const { plan, definition, state } = step;
  queueProcessTimers(plan, definition, state);
  loadScope(step, plan.root);
  if (state.finalStatus === null && state.compensation === null) {
    stopLoaded(step);
    continueScope(step, plan.root);
    return;
  }
  plan.root.stopping = true;
  if (state.finalStatus === null) return;
  const run = newScopeRun(definition.finally, 'finally/', null);
  plan.finally = run;
  loadScope(step, run);
  continueScope(step, run);
}

/** A process that is to end when it is loaded: what runs is ended before anything of it is tried again. */
function stopLoaded(step: Step): void {
  const { plan } = step;
  const cause = endingCause(step);
  if (cause === null) return;
  plan.root.stopping = true;
  const mode = stopMode(step, cause);
  if (mode === 'hold') return;
  plan.stopping = mode;
  if (mode === 'cancel') doomAll(plan.root.active, stopReason(cause));
}

function takeNews(step: Step): void {
  const { plan } = step;
  const { news } = plan;
  if (news.length === 0) return;
  plan.news = [];
  for (const path of news) {
    if (path !== '') {
      const unit = plan.units.get(path);
      if (unit !== undefined) step.todo({ do: 'resume', unit });
      continue;
    }
    for (const unit of plan.waiting) {
      if (step.operator(unit).waitsFor?.kind === 'message') step.todo({ do: 'resume', unit });
    }
  }
}

function takeDeferred(step: Step): void {
  if (step.restrained) return;
  const { plan } = step;
  const { deferred } = plan;
  plan.deferred = [];
  for (const unit of deferred) step.todo({ do: 'begin', unit });
  const pumps = [...plan.pumps];
  plan.pumps.clear();
  for (const loop of pumps) step.todo({ do: 'pump', loop });
}

function work(step: Step): void {
  const { plan } = step;
  for (let at = 0; at < plan.work.length; at++) {
    const item = plan.work[at];
    if (item === undefined) continue;
    switch (item.do) {
      case 'begin':
        begin(step, item.unit);
        break;
      case 'resume':
        resume(step, item.unit);
        break;
      case 'pump':
        if (item.loop.unit.loop === item.loop) pump(step, item.loop);
        break;
      case 'ended':
        ended(step, item.unit);
    }
  }
  plan.work = [];
}

function ended(step: Step, unit: Unit): void {
  if (unit.settled) return;
  unit.settled = true;
  const { container } = unit;
  step.plan.units.delete(unit.path);
  if (container === null) {
    if (step.plan.undo?.current === unit) step.plan.undo.current = null;
    return;
  }
  if (container.what === 'loop') {
    itemEnded(step, container, unit);
    return;
  }
  if (container.what === 'unit') {
    verified(step, container, unit);
    return;
  }
  container.active.delete(unit);
  followLinks(step, container, unit);
  if (container.owner !== null) groupIsOver(step, container.owner, container);
}

/** The verification says whether the attempt that nobody saw the end of has happened. */
function verified(step: Step, subject: Unit, verify: Unit): void {
  if (subject.settled || step.operator(subject).status !== 'unknown') return;
  if (subject.ending !== null) {
    finish(step, subject);
    return;
  }
  const { status, outcome, output, error } = step.operator(verify);
  if (status === 'completed' && outcome === 'happened') {
    complete(step, subject, output);
    return;
  }
  if (status === 'completed' && outcome === 'not-happened') {
    step.todo({ do: 'begin', unit: subject });
    return;
  }
  const reason =
    status === 'completed'
      ? `Expected ${verify.path} to say happened or not-happened, but it says ${outcome ?? 'neither'}.`
      : `Whether ${subject.path} happened could not be verified: ${error?.message ?? status}`;
  raiseIncident(step, 'unknown-outcome', subject.path, reason, ['rerun', 'skip', 'fail']);
}

/** Outcomes of attempts that the log knows as over or superseded are dropped. */
function applyOutcome(step: Step, outcome: EffectOutcome): void {
  const unit = step.plan.units.get(outcome.path);
  if (unit === undefined || !step.plan.effects.has(unit)) return;
  const operator = step.operator(unit);
  const current = operator.status === 'running' && operator.attempt === outcome.attempt;
  if (!current || operator.executor !== step.context.executor) return;
  const { result, startedAt, endedAt } = outcome;
  step.plan.effects.delete(unit);
  step.plan.foreign.delete(unit);
  switch (result.status) {
    case 'completed':
      complete(step, unit, result.output, {
        startedAt,
        endedAt,
        ...(result.outcome === undefined ? {} : { outcome: result.outcome }),
      });
      return;
    case 'failed':
      fail(step, unit, result.error, {
        startedAt,
        endedAt,
        ...(result.output === undefined ? {} : { output: result.output }),
      });
      return;
    case 'unknown':
      outcomeUnknown(step, unit, result.reason, startedAt);
      return;
    case 'not-begun':
      neverBegan(step, unit, result.reason);
      return;
  }
}
