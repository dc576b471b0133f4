import type { Timers } from '../events/process-event.types.js';
import type { Json, JsonObject } from '../json.types.js';
import { durationOf } from './duration.js';
import { evaluateFields } from './evaluate-fields.js';
import { taskId } from './identity.js';
import { complete, fail, outcomeOf } from './lifecycle.decide.js';
import { locate } from './locate.js';
import type { Unit } from './plan.js';
import { startFacts } from './start-facts.js';
import { attempting, type Step } from './step.js';

/** Assigned once, with everything that a command needs to judge an answer without the definition. */
export function assignTask(step: Step, unit: Unit, fields: Record<string, Json>): void {
  const id = taskId(step.state.id, unit.path, step.operator(unit).attempt + 1);
  const timers: Timers = {};
  const remind = durationOf(fields['remind']);
  if (remind !== undefined && remind > 0) timers.remind = step.after(remind);
  const escalate = escalation(fields['escalate']);
  if (escalate !== undefined) timers.escalate = step.after(escalate.after);
  const facts = startFacts(step, unit, { kind: 'task', taskId: id }, timers);
  const dueAt = facts.timers?.deadline ?? facts.timers?.timeout ?? null;
  facts.waitsFor = { kind: 'task', taskId: id, dueAt };
  step.emit({ type: 'OperatorStarted', data: facts });
  step.timers(unit, facts.timers);
  const needs = fields['needs'];
  const title = fields['title'];
  const instructions = fields['instructions'];
  step.emit({
    type: 'TaskAssigned',
    data: {
      taskId: id,
      path: unit.path,
      attempt: facts.attempt,
      assign: assignment(step, unit, fields['assign']),
      form: fields['form'] ?? null,
      needs: typeof needs === 'number' && needs > 1 ? Math.floor(needs) : 1,
      dueAt,
      title: typeof title === 'string' ? title : unit.op.name,
      ...(typeof instructions === 'string' ? { instructions } : {}),
    },
  });
  step.plan.waiting.add(unit);
}

const answeredBy = /^operators\.(.+)\.answeredBy$/;

/** `notBy` names people by what they did; in the log stand the people. */
function assignment(step: Step, unit: Unit, value: Json | undefined): Json {
  if (value === null || value === undefined || typeof value !== 'object' || Array.isArray(value)) return {};
  const assign: JsonObject = {};
  for (const part of ['users', 'roles'] as const) {
    const given = value[part];
    if (typeof given === 'string') assign[part] = given.split(',').map((name) => name.trim());
    else if (Array.isArray(given)) assign[part] = given.map(String);
  }
  const notBy = value['notBy'];
  const named = Array.isArray(notBy) ? notBy : typeof notBy === 'string' ? [notBy] : [];
  const people: string[] = [];
  for (const name of named) {
    const match = answeredBy.exec(String(name));
    if (name === 'requester') people.push(step.state.requester.id);
    else if (match === null) people.push(String(name));
    else people.push(...answerersOf(step, unit, match[1] as string));
  }
  if (people.length > 0) assign['notBy'] = [...new Set(people)];
  return assign;
}

function answerersOf(step: Step, unit: Unit, name: string): string[] {
  const frames = locate(step.definition, unit.path)?.frames ?? [];
  for (const frame of frames.toReversed()) {
    if (!frame.scope.byName.has(name)) continue;
    const task = step.state.operators.get(frame.prefix + name)?.task;
    return task?.answers.map((answer) => answer.by.id) ?? [];
  }
  return [];
}

function escalation(value: Json | undefined): { after: number; assign: JsonObject | null } | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const after = durationOf(isObject ? value['after'] : value);
  if (after === undefined) return undefined;
  const assign = isObject ? value['assign'] : undefined;
  const given = typeof assign === 'object' && assign !== null && !Array.isArray(assign) ? assign : null;
  return { after, assign: given };
}

/** A reminder comes again and again, an escalation once; who may answer then is added to who might before. */
export function remindTask(step: Step, unit: Unit, kind: 'remind' | 'escalate'): void {
  const { task } = step.operator(unit);
  if (task === undefined) return;
  const fields = evaluateFields(step, unit);
  if ('error' in fields) {
    step.emit({ type: 'TaskReminded', data: { taskId: task.id, path: unit.path, kind } });
    return;
  }
  const every = durationOf(fields.value['remind']);
  const nextAt = kind === 'remind' && every !== undefined ? step.after(every) : undefined;
  const more = kind === 'escalate' ? (escalation(fields.value['escalate'])?.assign ?? null) : null;
  step.emit({
    type: 'TaskReminded',
    data: {
      taskId: task.id,
      path: unit.path,
      kind,
      ...(nextAt === undefined ? {} : { nextAt }),
      ...(more === null ? {} : { assign: widened(task.assign, more) }),
    },
  });
  if (nextAt !== undefined) step.plan.timers.add(unit.path, 'remind', nextAt);
}

function widened(before: Json, more: JsonObject): Json {
  const assign: JsonObject =
    typeof before === 'object' && before !== null && !Array.isArray(before) ? { ...before } : {};
  const nobody = assign['users'] === undefined && assign['roles'] === undefined;
  for (const part of ['users', 'roles'] as const) {
    const given = more[part];
    const names =
      typeof given === 'string' ? given.split(',').map((name) => name.trim()) : Array.isArray(given) ? given : [];
    if (names.length === 0 || nobody) continue;
    const old = Array.isArray(assign[part]) ? assign[part] : [];
    assign[part] = [...new Set([...old, ...names])];
  }
  return assign;
}

/**
 * With `needs: N` the first outcome listed takes N answers by different people. Any other outcome, and an answer that
 * does not satisfy `expect`, takes effect at once: one refusal is enough.
 */
export function checkAnswers(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  const { task } = operator;
  if (task === undefined) return;
  // In their order: several may have come before anybody read the first.
  for (const [index, given] of task.answers.entries()) {
    const refused = index + 1 < task.needs ? attempting(() => isRefusal(step, unit, given.answer)) : { value: false };
    if ('error' in refused) {
      fail(step, unit, refused.error);
      return;
    }
    if (!refused.value && index + 1 < task.needs) continue;
    complete(step, unit, given.answer, { by: given.by });
    return;
  }
}

function isRefusal(step: Step, unit: Unit, answer: Json): boolean {
  const { op } = unit;
  const extra = { output: answer };
  if (op.expect !== undefined && step.evaluate(op.expect, unit.path, extra) !== true) return true;
  const outcome = outcomeOf(step, unit, extra);
  return outcome !== undefined && outcome !== op.outcomes[0]?.name;
}
