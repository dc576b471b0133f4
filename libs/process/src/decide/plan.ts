import type { CompiledDefinition, CompiledLink, CompiledOperator, CompiledScope } from '../compile/compiled.types.js';
import type { OperatorError } from '../events/process-event.types.js';
import type { DerivedPlan } from '../state/process-state.js';
import { TimerQueue } from './timer-queue.js';

/**
 * What decide derives from definition and state and keeps from call to call, so that a call costs what changed and not
 * what there is: counters of links, cursors of loops, the sets of what runs, the queue of timers. It is never part of
 * the state's value: dropped at any time, it is built again by one pass.
 */
export interface Plan extends DerivedPlan {
  definition: CompiledDefinition;
  root: ScopeRun;
  finally: ScopeRun | null;
  units: Map<string, Unit>;
  work: Work[];
  /** Begins that wait: paused, draining, or more than one decision begins. */
  deferred: Unit[];
  /** Loops that would begin more items. */
  pumps: Set<LoopRun>;
  timers: TimerQueue;
  /** Effects that the log says are running, by path. */
  effects: Set<Unit>;
  /** Of those, the ones whose incarnation is not this one: looked at again in every call. */
  foreign: Set<Unit>;
  /** Open and neither running nor to be begun. */
  waiting: Set<Unit>;
  /** Children to be spawned, told, or effects to be begun again after a load. */
  fresh: boolean;
  stopping: 'no' | 'drain' | 'cancel';
  outputsError: OperatorError | null;
  undo: { order: string[]; next: number; current: Unit | null } | null;
}

export type Container = ScopeRun | LoopRun | Unit | null;

export interface Unit {
  readonly what: 'unit';
  readonly path: string;
  readonly op: CompiledOperator;
  readonly kind: 'operator' | 'item' | 'verify' | 'compensate';
  readonly container: Container;
  readonly index: number;
  body: ScopeRun | null;
  loop: LoopRun | null;
  begun: boolean;
  settled: boolean;
  /** It is to end. */
  ending: Ending | null;
  /** Found when it was loaded: it is to end, and may only be taken up for that. */
  doom: Ending | null;
  aborted: number;
}

/** With an error it fails, else it is cancelled. A race that it lost is not run again when the process is reopened. */
export interface Ending {
  reason: string;
  error: OperatorError | null;
  race?: boolean;
}

export interface ScopeRun {
  readonly what: 'scope';
  readonly scope: CompiledScope;
  readonly links: ScopeLinks;
  readonly prefix: string;
  readonly owner: Unit | null;
  /** Links into each operator whose source has not ended. */
  pending: Int32Array;
  held: Int32Array;
  /** 0: undecided, 1: on its way or over. */
  decided: Uint8Array;
  active: Set<Unit>;
  open: number;
  stopping: boolean;
  failure: { path: string; error: OperatorError } | null;
}

export interface LoopRun {
  readonly what: 'loop';
  readonly unit: Unit;
  readonly count: number;
  readonly waves: number[];
  readonly threshold: number;
  next: number;
  ended: number;
  failed: number;
  wave: number;
  stopping: boolean;
  active: Set<Unit>;
}

export type Work = { do: 'begin' | 'ended' | 'resume'; unit: Unit } | { do: 'pump'; loop: LoopRun };

/** The links of a scope, by source. The same for all processes of the definition. */
export interface ScopeLinks {
  outgoing: { target: number; link: CompiledLink }[][];
  incoming: Int32Array;
  /** Some link handles its failure. */
  handled: Uint8Array;
  indexOf: Map<string, number>;
}

const cache = new WeakMap<CompiledScope, ScopeLinks>();

export function linksOf(scope: CompiledScope): ScopeLinks {
  let links = cache.get(scope);
  if (links !== undefined) return links;
  const indexOf = new Map(scope.operators.map((operator, index) => [operator.name, index]));
  const outgoing: ScopeLinks['outgoing'] = scope.operators.map(() => []);
  const incoming = new Int32Array(scope.operators.length);
  const handled = new Uint8Array(scope.operators.length);
  scope.operators.forEach((operator, target) => {
    for (const link of operator.after) {
      const source = indexOf.get(link.from);
      if (source === undefined) continue;
      outgoing[source]?.push({ target, link });
      incoming[target] = (incoming[target] ?? 0) + 1;
      if (link.on === 'failed' || link.on === 'any') handled[source] = 1;
    }
  });
  links = { outgoing, incoming, handled, indexOf };
  cache.set(scope, links);
  return links;
}

export function newScopeRun(scope: CompiledScope, prefix: string, owner: Unit | null): ScopeRun {
  const links = linksOf(scope);
  return {
    what: 'scope',
    scope,
    links,
    prefix,
    owner,
    pending: links.incoming.slice(),
    held: new Int32Array(scope.operators.length),
    decided: new Uint8Array(scope.operators.length),
    active: new Set(),
    open: scope.operators.length,
    stopping: false,
    failure: null,
  };
}

export function newPlan(definition: CompiledDefinition): Plan {
  return {
    news: [],
    definition,
    root: newScopeRun(definition.operators, '', null),
    finally: null,
    units: new Map(),
    work: [],
    deferred: [],
    pumps: new Set(),
    timers: new TimerQueue(),
    effects: new Set(),
    foreign: new Set(),
    waiting: new Set(),
    fresh: true,
    stopping: 'no',
    outputsError: null,
    undo: null,
  };
}

export function unitOf(
  plan: Plan,
  path: string,
  op: CompiledOperator,
  kind: Unit['kind'],
  container: Container,
  index: number,
): Unit {
  let unit = plan.units.get(path);
  // A group or loop that is tried again has a new run: what stood in the old one is no longer meant.
  if (unit === undefined || unit.container !== container) {
    unit = {
      what: 'unit',
      path,
      op,
      kind,
      container,
      index,
      body: null,
      loop: null,
      begun: false,
      settled: false,
      ending: null,
      doom: null,
      aborted: 0,
    };
    plan.units.set(path, unit);
  }
  return unit;
}
