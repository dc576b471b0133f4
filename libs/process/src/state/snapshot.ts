import {
  type BufferedMessage,
  type IncidentState,
  initialState,
  newOperator,
  type OperatorState,
  type ProcessState,
} from './process-state.js';

/** Version of the state's shape. Raised whenever a field of the state is added, removed or means something else. */
export const stateShape = 4;

/** A state as JSON. Disposable: what cannot be read is ignored, and the log folded again. */
export interface StateSnapshot {
  shape: number;
  state: Record<string, unknown>;
}

const maps = ['incidents', 'tasks', 'children', 'closedTasks', 'resolvedIncidents'] as const;

/**
 * What nearly every operator has stands in a row, by position; words that repeat are numbers of a list; what else an
 * operator has follows by name, and its output last. A loop of 10,000 is written in a tenth of the time that objects
 * with names took, and read back in a fifth.
 */
type OperatorRow = [
  path: string,
  type: number,
  operatorClass: number,
  status: number,
  executor: number,
  attempt: number,
  order: number,
  startedAt: string | 0,
  endedAt: string | 0,
  more: Record<string, unknown> | 0,
  output?: unknown,
];
type InRow =
  | 'path'
  | 'type'
  | 'class'
  | 'status'
  | 'executor'
  | 'attempt'
  | 'order'
  | 'startedAt'
  | 'endedAt'
  | 'output';
/** By the type, so that no new field is forgotten. */
const otherFields: Record<Exclude<keyof OperatorState, InRow>, true> = {
  round: true,
  iteration: true,
  failures: true,
  unknowns: true,
  uncertain: true,
  deaths: true,
  beaten: true,
  admitted: true,
  outcome: true,
  error: true,
  cause: true,
  previous: true,
  waitsFor: true,
  timers: true,
  fired: true,
  items: true,
  keys: true,
  task: true,
  unknown: true,
  incident: true,
  resolution: true,
  result: true,
};
const others = Object.keys(otherFields) as Exclude<keyof OperatorState, InRow>[];

/** The snapshot as it is stored. Written at once: whoever changes the state afterwards changes nothing of it. */
export function snapshotText(state: ProcessState): string {
  const copy: Record<string, unknown> = { ...state };
  delete copy['plan'];
  for (const name of maps) copy[name] = [...state[name]];
  copy['messageIds'] = [...state.messageIds];
  const words = new Words();
  const operators: OperatorRow[] = [];
  for (const operator of state.operators.values()) operators.push(rowOf(operator, words));
  copy['operators'] = operators;
  copy['words'] = words.list;
  return JSON.stringify({ shape: stateShape, state: copy } satisfies StateSnapshot);
}

/** A copy that shares nothing with the state, and holds nothing that JSON cannot. */
export function toSnapshot(state: ProcessState): StateSnapshot {
  return JSON.parse(snapshotText(state)) as StateSnapshot;
}

/** Takes what it is given for the state's own. Undefined: another shape, or not a snapshot. */
export function fromSnapshot(snapshot: unknown): ProcessState | undefined {
  if (typeof snapshot !== 'object' || snapshot === null) return undefined;
  const { shape, state } = snapshot as Partial<StateSnapshot>;
  if (shape !== stateShape || typeof state !== 'object' || state === null) return undefined;
  const fresh = initialState();
  for (const name in fresh) {
    if (name !== 'plan' && !(name in state)) return undefined;
  }
  const { words, ...kept } = state;
  const operators = new Map<string, OperatorState>();
  for (const row of kept['operators'] as OperatorRow[]) operators.set(row[0], operatorOf(row, words as string[]));
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

class Words {
  readonly list: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(word: string): number {
    let number = this.numbers.get(word);
    if (number === undefined) {
      number = this.list.push(word) - 1;
      this.numbers.set(word, number);
    }
    return number;
  }
}

const defaults: Partial<OperatorState> = newOperator('');

function rowOf(operator: OperatorState, words: Words): OperatorRow {
  let more: Record<string, unknown> | 0 = 0;
  for (const name of others) {
    const value = operator[name];
    if (value === undefined || value === defaults[name]) continue;
    if (more === 0) more = {};
    more[name] = value;
  }
  const { path, type, status, executor, attempt, order, startedAt, endedAt, output } = operator;
  const row: OperatorRow = [
    path,
    words.numberOf(type),
    words.numberOf(operator.class),
    words.numberOf(status),
    executor === null ? -1 : words.numberOf(executor),
    attempt,
    order,
    startedAt ?? 0,
    endedAt ?? 0,
    more,
  ];
  if (output !== undefined) row.push(output);
  return row;
}

function operatorOf(row: OperatorRow, words: readonly string[]): OperatorState {
  const [path, type, operatorClass, status, executor, attempt, order, startedAt, endedAt, more] = row;
  const operator = newOperator(path, words[type], words[operatorClass] as OperatorState['class']);
  operator.status = words[status] as OperatorState['status'];
  operator.executor = words[executor] ?? null;
  operator.attempt = attempt;
  operator.order = order;
  if (startedAt !== 0) operator.startedAt = startedAt;
  if (endedAt !== 0) operator.endedAt = endedAt;
  if (row.length > 10) operator.output = row[10] as NonNullable<OperatorState['output']>;
  return more === 0 ? operator : Object.assign(operator, more);
}
