import type { OperatorItem, Process, ProcessItem, ProcessStatusName } from '@baton/contracts';
import { type EventLog, type ProcessListItem, type ProcessView, viewAfter } from '@baton/event-log';
import { evolve, initialState, type OperatorState, type ProcessState, type RecordedEvent } from '@baton/process';

/** A process as its log has it now: folded for people (view) and for the core (state). */
export interface FoldedProcess {
  view: ProcessView;
  state: ProcessState;
  events: number;
}

/** One process, folded from its log at the moment it is asked for: never behind. */
export class ProcessReader {
  constructor(private readonly log: Pick<EventLog, 'read'>) {}

  async fold(id: string): Promise<FoldedProcess | null> {
    const events = await this.log.read(id);
    return foldEvents(events);
  }
}

export function foldEvents(events: readonly RecordedEvent[]): FoldedProcess | null {
  let view: ProcessView | null = null;
  let state = initialState();
  for (const event of events) {
    view = viewAfter(view, event);
    state = evolve(state, event);
  }
  return view ? { view, state, events: events.length } : null;
}

export function processView({ view, state, events }: FoldedProcess): Process {
  return {
    ...itemOf(view, view.definitionVersion),
    id: view.stream,
    inputs: state.inputs,
    outputs: state.outputs ?? null,
    owner: state.owner,
    ...(state.error ? { error: state.error } : {}),
    parent: view.parent,
    sequence: events,
    operators: [...state.operators.values()].map(operatorView),
  };
}

export function listItem(item: ProcessListItem): ProcessItem {
  return { id: item.id, ...itemOf(item, item.version) };
}

function itemOf(view: ProcessView | ProcessListItem, version: number): Omit<ProcessItem, 'id'> {
  const { definition, title, priority, environment, labels, requester, requestedAt, startedAt, endedAt } = view;
  const status = view.status as ProcessStatusName;
  return {
    definition,
    version,
    title,
    status,
    priority,
    environment,
    labels,
    requester,
    requestedAt,
    startedAt,
    endedAt,
  };
}

function operatorView(operator: OperatorState): OperatorItem {
  const { path, type, status, attempt, outcome, output, error, waitsFor, executor } = operator;
  return {
    path,
    type,
    status,
    attempt,
    ...(outcome === undefined ? {} : { outcome }),
    startedAt: operator.startedAt ?? null,
    endedAt: operator.endedAt ?? null,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(executor === null ? {} : { executor }),
  };
}
