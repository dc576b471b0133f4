import type { CompiledForEach } from '../compile/compiled.types.js';
import type { Json, JsonObject } from '../json.types.js';
import { encodeKey, itemPath } from '../state/operator-path.js';
import type { OperatorState } from '../state/process-state.js';
import { maxItems } from '../state/size.js';
import { finish } from './cancel.decide.js';
import { complete, fail } from './lifecycle.decide.js';
import { type LoopRun, type Unit, unitOf } from './plan.js';
import { startFacts } from './start-facts.js';
import { attempting, maxBegins, type Step } from './step.js';

/** The list is evaluated once and recorded with the start; a retry of the loop takes the recorded one. */
export function startLoop(step: Step, unit: Unit): void {
  const forEach = unit.op.forEach as CompiledForEach;
  const recorded = step.operator(unit).items;
  const facts = startFacts(step, unit);
  if (recorded === undefined) {
    const list = attempting(() => step.evaluate(forEach.in, unit.path));
    if ('error' in list) {
      fail(step, unit, list.error);
      return;
    }
    if (!Array.isArray(list.value)) {
      const message = `Expected forEach to be given a list, but it is ${list.value === null ? 'null' : typeof list.value}.`;
      fail(step, unit, { code: 'expression', message }, { retryable: false });
      return;
    }
    if (list.value.length > maxItems) {
      const message = `Expected at most ${maxItems} items, but forEach was given ${list.value.length}.`;
      fail(step, unit, { code: 'limit', message }, { retryable: false });
      return;
    }
    const items = list.value;
    facts.items = items;
    if (forEach.key !== undefined) {
      const keys = keysOf(step, unit, forEach, items);
      if ('error' in keys) {
        fail(step, unit, keys.error, { retryable: false });
        return;
      }
      facts.keys = keys.value;
    }
  }
  step.emit({ type: 'OperatorStarted', data: facts });
  step.timers(unit, facts.timers);
  unit.loop = newLoop(unit, step.operator(unit).items?.length ?? 0);
  if (recorded !== undefined) step.todo({ do: 'resume', unit });
  else if (unit.loop.count === 0) loopIsOver(step, unit, unit.loop);
  else step.todo({ do: 'pump', loop: unit.loop });
}

function keysOf(step: Step, unit: Unit, forEach: CompiledForEach, items: Json[]) {
  const template = forEach.key;
  if (template === undefined) return { value: [] };
  const seen = new Set<string>();
  const keys: string[] = [];
  for (let index = 0; index < items.length; index++) {
    const key = attempting(() => step.evaluateItem(template, unit.path, items[index] ?? null, index, forEach.as));
    if ('error' in key) return key;
    const encoded = encodeKey(typeof key.value === 'string' ? key.value : JSON.stringify(key.value));
    if (encoded === '' || seen.has(encoded)) {
      const message = `Expected each item to have a key of its own, but item ${index} has ${encoded === '' ? 'an empty one' : `"${encoded}" again`}.`;
      return { error: { code: 'expression', message } };
    }
    seen.add(encoded);
    keys.push(encoded);
  }
  return { value: keys };
}

export function newLoop(unit: Unit, count: number): LoopRun {
  const forEach = unit.op.forEach as CompiledForEach;
  const waves: number[] = [];
  let begun = 0;
  for (const batch of forEach.batches ?? []) {
    const until = 'count' in batch ? batch.count : Math.ceil((count * batch.percent) / 100);
    begun = Math.min(count, Math.max(begun + (begun < count ? 1 : 0), until));
    waves.push(begun);
  }
  if (begun < count) waves.push(count);
  const stop = forEach.stopAfterFailures;
  const threshold = Math.max(1, 'count' in stop ? stop.count : Math.ceil((count * stop.percent) / 100));
  return {
    what: 'loop',
    unit,
    count,
    waves,
    threshold,
    next: 0,
    ended: 0,
    failed: 0,
    wave: 0,
    stopping: false,
    active: new Set(),
  };
}

export const keyOf = (operator: OperatorState, index: number): string => operator.keys?.[index] ?? String(index);

/** Begins items as far as waves, maxParallel and the decision's own bound let it. */
export function pump(step: Step, loop: LoopRun): void {
  const operator = step.operator(loop.unit);
  const parallel = loop.unit.op.forEach?.maxParallel ?? Number.POSITIVE_INFINITY;
  while (!loop.stopping && loop.next < loop.count && loop.active.size < parallel) {
    if (step.restrained || step.begins >= maxBegins) {
      step.plan.pumps.add(loop);
      return;
    }
    const until = loop.waves[loop.wave] ?? loop.count;
    if (loop.next >= until) {
      if (loop.active.size > 0) return;
      loop.wave++;
      continue;
    }
    const index = loop.next++;
    const path = itemPath(loop.unit.path, keyOf(operator, index));
    const known = step.state.operators.get(path);
    if (known !== undefined && known.order > 0) continue; // ended before the loop was tried again
    const unit = unitOf(step.plan, path, loop.unit.op, 'item', loop, index);
    if (loop.active.has(unit)) continue; // still open, from before
    unit.settled = false;
    loop.active.add(unit);
    step.begins++;
    step.todo({ do: 'begin', unit });
  }
}

export function itemEnded(step: Step, loop: LoopRun, unit: Unit): void {
  loop.active.delete(unit);
  loop.ended++;
  if (step.operator(unit).status === 'failed' && ++loop.failed >= loop.threshold) loop.stopping = true;
  loopIsOver(step, loop.unit, loop);
}

export function loopIsOver(step: Step, unit: Unit, loop: LoopRun): void {
  if (unit.loop !== loop) return;
  if (loop.active.size > 0 || (!loop.stopping && loop.ended < loop.count)) {
    if (!loop.stopping) pump(step, loop);
    return;
  }
  unit.loop = null;
  if (unit.ending !== null) {
    finish(step, unit);
    return;
  }
  if (loop.stopping && loop.failed >= loop.threshold) {
    const failed = failures(step, unit, loop.count);
    const message = `${loop.failed} of ${loop.count} items failed: ${failed.keys.join(', ')}${loop.failed > failed.keys.length ? ', …' : ''}.`;
    const error = { code: 'items-failed', message, details: { failed: failed.keys, codes: failed.codes } };
    fail(step, unit, error, failed.cause === undefined ? {} : { cause: failed.cause });
    return;
  }
  complete(step, unit, outputOf(step, unit, loop.count));
}

function failures(step: Step, unit: Unit, count: number) {
  const operator = step.operator(unit);
  const keys: string[] = [];
  const codes: string[] = [];
  let cause: string | undefined;
  for (let index = 0; index < count && keys.length < 20; index++) {
    const item = step.state.operators.get(itemPath(unit.path, keyOf(operator, index)));
    if (item?.status !== 'failed') continue;
    cause ??= item.cause ?? item.path;
    keys.push(keyOf(operator, index));
    if (item.error !== undefined && !codes.includes(item.error.code)) codes.push(item.error.code);
  }
  return { keys, codes, cause };
}

/** In the list's order, whatever order they ended in. */
function outputOf(step: Step, unit: Unit, count: number): Json {
  const operator = step.operator(unit);
  const output: Json[] = [];
  for (let index = 0; index < count; index++) {
    const key = keyOf(operator, index);
    const item = step.state.operators.get(itemPath(unit.path, key));
    const entry: JsonObject = { key, status: item?.status ?? 'pending' };
    if (item?.output !== undefined) entry['output'] = item.output;
    if (item?.error !== undefined) entry['error'] = { code: item.error.code, message: item.error.message };
    output.push(entry);
  }
  return output;
}
