import {
  type BufferedMessage,
  type IncidentState,
  initialState,
  newOperator,
  type OperatorState,
  type ProcessState,
} from './process-state.js';

/** Version of the state's shape. Raised whenever a field of the state is added, removed or means something else. */
export const stateShape = 3;

/** A state as JSON. Disposable: what cannot be read is ignored, and the log folded again. */
export interface StateSnapshot {
  shape: number;
  state: Record<string, unknown>;
}

const maps = ['incidents', 'tasks', 'children', 'closedTasks', 'resolvedIncidents'] as const;

export function toSnapshot(state: ProcessState): StateSnapshot {
  const copy: Record<string, unknown> = { ...state };
  delete copy['plan'];
  for (const name of maps) copy[name] = [...state[name]];
  copy['messageIds'] = [...state.messageIds];
  const operators: Partial<OperatorState>[] = [];
  for (const operator of state.operators.values()) operators.push(withoutDefaults(operator));
  copy['operators'] = operators;
  // A copy that shares nothing with the state, and holds nothing that JSON cannot.
  return { shape: stateShape, state: JSON.parse(JSON.stringify(copy)) as Record<string, unknown> };
}

/** Undefined: another shape, or not a snapshot. */
export function fromSnapshot(snapshot: unknown): ProcessState | undefined {
  if (typeof snapshot !== 'object' || snapshot === null) return undefined;
  const { shape, state } = snapshot as Partial<StateSnapshot>;
  if (shape !== stateShape || typeof state !== 'object' || state === null) return undefined;
  const fresh = initialState();
  for (const name in fresh) {
    if (name !== 'plan' && !(name in state)) return undefined;
  }
  const kept = JSON.parse(JSON.stringify(state)) as Record<string, unknown>;
  const operators = new Map<string, OperatorState>();
  for (const operator of kept['operators'] as OperatorState[]) {
    operators.set(operator.path, Object.assign(newOperator(operator.path), operator));
  }
  return Object.assign(fresh, kept as Partial<ProcessState>, {
    operators,
    incidents: new Map(kept['incidents'] as [string, IncidentState][]),
    tasks: new Map(kept['tasks'] as [string, string][]),
    children: new Map(kept['children'] as [string, 'completed'][]),
    closedTasks: new Map(kept['closedTasks'] as [string, string][]),
    resolvedIncidents: new Map(kept['resolvedIncidents'] as [string, 'rerun'][]),
    messages: kept['messages'] as BufferedMessage[],
    messageIds: new Set(kept['messageIds'] as string[]),
    plan: null,
  });
}

function withoutDefaults(operator: OperatorState): Partial<OperatorState> {
  const defaults: Record<string, unknown> = { ...newOperator(operator.path) };
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(operator)) {
    if (name === 'path' || value !== defaults[name]) kept[name] = value;
  }
  return kept as Partial<OperatorState>;
}
