import type { FaultList } from './fault-list.js';
import type { ScopeNode } from './links.js';

/** The order in which the operators can run, that of the text where there is a choice. Cycles are faults, named. */
export function topologicalOrder(nodes: ReadonlyMap<string, ScopeNode>, faults: FaultList): ScopeNode[] {
  const waitsFor = new Map([...nodes.values()].map((node) => [node.name, new Set(node.after.map(({ from }) => from))]));
  const order: ScopeNode[] = [];
  const ready = [...nodes.values()].filter((node) => waitsFor.get(node.name)?.size === 0);
  for (let node = ready.shift(); node; node = ready.shift()) {
    order.push(node);
    for (const name of node.successors) {
      const waits = waitsFor.get(name);
      const successor = nodes.get(name);
      if (waits?.delete(node.name) && waits.size === 0 && successor) ready.push(successor);
    }
  }
  if (order.length < nodes.size) reportCycle(nodes, new Set(order), faults);
  return order.length === nodes.size ? order : [...nodes.values()];
}

function reportCycle(nodes: ReadonlyMap<string, ScopeNode>, done: ReadonlySet<ScopeNode>, faults: FaultList): void {
  const left = [...nodes.values()].filter((node) => !done.has(node));
  const reported = new Set<string>();
  for (const start of left) {
    if (reported.has(start.name)) continue;
    const trail: string[] = [];
    let node: ScopeNode | undefined = start;
    while (node && !trail.includes(node.name) && !reported.has(node.name)) {
      trail.push(node.name);
      const previous: string | undefined = node.after
        .map(({ from }) => from)
        .find((from) => left.some((one) => one.name === from));
      node = previous === undefined ? undefined : nodes.get(previous);
    }
    const closing = node && trail.includes(node.name) ? node.name : undefined;
    for (const name of trail) reported.add(name);
    if (closing === undefined) continue;
    const cycle = [...trail.slice(trail.indexOf(closing)), closing].reverse();
    faults.error(
      [...(nodes.get(closing)?.path ?? []), 'after'],
      `The links go round in a circle: ${cycle.join(' → ')}.`,
      'Remove one of these links; to do something again, use `repeat` or `forEach`.',
    );
  }
}
