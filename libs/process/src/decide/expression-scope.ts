import type { OperatorView, Reference, Scope } from '../expressions/expression.types.js';
import type { Json } from '../json.types.js';
import type { OperatorState, ProcessState } from '../state/process-state.js';
import type { DecideContext } from './decision.types.js';
import { idempotencyKey } from './identity.js';
import { isoTime } from './iso-time.js';
import type { Place } from './locate.js';

export interface ScopeExtra {
  output?: Json;
  previous?: Json;
  iteration?: number;
  operator?: { idempotencyKey: string; attempt: number };
  status?: string;
}

/**
 * What an expression at this place may see. Only what it reads is put together: a graph of 5,000 operators
 * would else cost 5,000 views per evaluation.
 */
export function expressionScope(
  state: ProcessState,
  context: Pick<DecideContext, 'now' | 'artifact'>,
  place: Place | null,
  rootScope: Place['frames'][number],
  reads: readonly Reference[],
  extra: ScopeExtra = {},
): Scope {
  const frames = place?.frames ?? [rootScope];
  const operators: Record<string, OperatorView> = {};
  for (const read of reads) {
    if (read.root !== 'operators') continue;
    const name = read.path[0];
    if (name !== undefined) {
      const view = viewOf(state, context, place, frames, name);
      if (view !== undefined) operators[name] = view;
      continue;
    }
    for (const frame of frames) {
      for (const operator of frame.scope.operators) {
        const view = viewOf(state, context, place, frames, operator.name);
        if (view !== undefined) operators[operator.name] = view;
      }
    }
  }
  const scope: Scope = {
    inputs: state.inputs,
    operators,
    process: {
      id: state.id,
      title: state.title,
      requester: { id: state.requester.id, groups: state.requester.groups },
      status: extra.status ?? 'running',
      now: isoTime(context.now),
    },
  };
  if (state.environment !== null) {
    scope.environment = { ...state.environment.variables, name: state.environment.name };
  }
  if (state.trigger !== null) scope.trigger = state.trigger;
  if (extra.operator !== undefined) scope.operator = extra.operator;
  if (extra.output !== undefined) scope.output = loaded(context, extra.output);
  if (extra.previous !== undefined) scope.previous = extra.previous;
  if (extra.iteration !== undefined) scope.iteration = extra.iteration;
  if (place !== null && place.loops.length > 0) {
    const locals: Record<string, Json> = {};
    for (const loop of place.loops) {
      const index = itemIndex(state.operators.get(loop.path), loop.key);
      const item = state.operators.get(loop.path)?.items?.[index] ?? null;
      locals[loop.op.forEach?.as ?? 'item'] = item;
      scope.item = item;
      scope.index = index;
    }
    scope.locals = locals;
  }
  return scope;
}

/** Siblings shadow outer names; in an undo or a verification the own name is what is undone or verified. */
function viewOf(
  state: ProcessState,
  context: Pick<DecideContext, 'artifact'>,
  place: Place | null,
  frames: Place['frames'],
  name: string,
): OperatorView | undefined {
  if (place?.subject?.name === name) return view(state.operators.get(place.subject.path), context);
  for (let index = frames.length - 1; index >= 0; index--) {
    const frame = frames[index];
    if (frame?.scope.byName.has(name)) return view(state.operators.get(frame.prefix + name), context);
  }
  return undefined;
}

function view(operator: OperatorState | undefined, context: Pick<DecideContext, 'artifact'>): OperatorView {
  if (operator === undefined) return { status: 'pending', attempt: 0 };
  const view: OperatorView = { status: operator.status, attempt: operator.attempt };
  if (operator.outcome !== undefined) view.outcome = operator.outcome;
  if (operator.output !== undefined) {
    view.output =
      operator.items === undefined ? loaded(context, operator.output) : loadedItems(context, operator.output);
  }
  if (operator.error !== undefined) {
    view.error = { code: operator.error.code, message: operator.error.message };
    if (operator.error.details !== undefined)
      view.error = { ...(view.error as object), details: operator.error.details };
  }
  const last = operator.task?.answers.at(-1);
  if (last !== undefined) {
    view.answeredBy = last.by.id;
    if (last.answeredAt !== undefined) view.answeredAt = last.answeredAt;
  }
  return view;
}

/** A large output stands in the log as a reference; the driver has loaded those that expressions read. */
function loaded(context: Pick<DecideContext, 'artifact'>, value: Json): Json {
  if (context.artifact === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
    return value;
  const artifact = value['$artifact'];
  if (artifact === null || typeof artifact !== 'object' || Array.isArray(artifact)) return value;
  return context.artifact(String(artifact?.['digest'])) ?? value;
}

/** A loop's output holds those of its items, of which each may be a reference. */
function loadedItems(context: Pick<DecideContext, 'artifact'>, list: Json): Json {
  if (context.artifact === undefined || !Array.isArray(list)) return loaded(context, list);
  return list.map((entry) => {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return entry;
    const output = entry['output'];
    const content = output === undefined ? undefined : loaded(context, output);
    return content === undefined || content === output ? entry : { ...entry, output: content };
  });
}

const indexes = new WeakMap<string[], Map<string, number>>();

export function itemIndex(loop: OperatorState | undefined, key: string): number {
  if (loop?.keys === undefined) return Number(key);
  let index = indexes.get(loop.keys);
  if (index === undefined) {
    index = new Map(loop.keys.map((name, position) => [name, position]));
    indexes.set(loop.keys, index);
  }
  return index.get(key) ?? -1;
}

export const operatorFacts = (
  state: ProcessState,
  path: string,
  operator: OperatorState | undefined,
  attempt: number,
) => ({
  idempotencyKey: idempotencyKey(state.id, path, operator?.iteration ?? 1, operator?.round ?? 1),
  attempt,
});
