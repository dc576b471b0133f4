import { expect, it } from 'vitest';
import type { ProcessEvent } from '../events/process-event.types.js';
import { evolve } from '../state/evolve.js';
import { initialState } from '../state/process-state.js';
import { decide } from './decide.js';
import type { DecideContext, EffectOutcome } from './decision.types.js';
import { compiled, id, start } from './given.spec-helper.js';

/** Prints what it measures; times are not asserted, they are the machine's. That each ends is. */
function run(text: string, inputs = {}): { events: ProcessEvent[]; decisions: number; ms: number; end: string | null } {
  const definition = compiled(text);
  const state = initialState(id);
  const events: ProcessEvent[] = [
    {
      type: 'ProcessRequested',
      data: {
        definition: { name: definition.name, version: 1, digest: definition.digest },
        environment: null,
        inputs,
        priority: 5,
        labels: {},
        requester: { id: 'ann', groups: [] },
      },
    },
    { type: 'ProcessScheduled', data: {} },
    { type: 'ProcessStarted', data: { executor: 'e1' } },
  ];
  for (const event of events) evolve(state, event);
  const running = new Map<string, EffectOutcome>();
  const context: DecideContext = {
    now: start,
    executor: 'e1',
    isOver: () => false,
    isRunning: (path, attempt) => running.has(`${path}#${attempt}`),
  };
  const at = new Date(start).toISOString();
  let decisions = 0;
  const before = performance.now();
  let outcomes: EffectOutcome[] = [];
  while (state.end === null) {
    const decision = decide(definition, state, context, outcomes);
    decisions++;
    events.push(...decision.events);
    for (const { path, attempt } of decision.begin) {
      running.set(`${path}#${attempt}`, {
        path,
        attempt,
        result: { status: 'completed', output: { status: 200 } },
        startedAt: at,
        endedAt: at,
      });
    }
    const [first] = running;
    outcomes = first === undefined ? [] : [first[1]];
    if (first !== undefined) running.delete(first[0]);
    else if (decision.disposition === 'parked') break;
  }
  return { events, decisions, ms: performance.now() - before, end: state.end };
}

const effect = 'type: http, method: GET, url: "https://x"';

it.each([
  ['a sequence of 2,000', 2_000],
  ['a sequence of 4,900', 4_900],
])(
  '%s effects, one outcome per decision',
  (name, count) => {
    const lines = Array.from(
      { length: count },
      (_, index) => `  o${index}: { ${effect}${index === 0 ? '' : `, after: [o${index - 1}]`} }`,
    );
    const { events, decisions, ms, end } = run(`operators:\n${lines.join('\n')}`);
    expect(end).toBe('completed');
    console.log(`${name}: ${decisions} decisions, ${events.length} events in ${ms.toFixed(0)} ms`);
  },
  60_000,
);

it('4,900 parallel effects and a join of all', () => {
  const lines = Array.from({ length: 4_900 }, (_, index) => `  o${index}: { ${effect} }`);
  const names = Array.from({ length: 4_900 }, (_, index) => `o${index}`).join(', ');
  const { events, decisions, ms, end } = run(
    `operators:\n${lines.join('\n')}\n  end: { type: set, after: [${names}], value: 1 }`,
  );
  expect(end).toBe('completed');
  console.log(`4,900 parallel: ${decisions} decisions, ${events.length} events in ${ms.toFixed(0)} ms`);
}, 60_000);

it.each([1_000, 10_000])(
  'forEach of %i items, 100 at a time; and its stream folded again',
  (count) => {
    const text = `inputs: { l: { type: array } }\noperators:\n  a: { ${effect}, forEach: { in: "\${{ inputs.l }}", maxParallel: 100 } }`;
    const { events, decisions, ms, end } = run(text, { l: Array.from({ length: count }, (_, index) => index) });
    expect(end).toBe('completed');
    console.log(`forEach of ${count}: ${decisions} decisions, ${events.length} events in ${ms.toFixed(0)} ms`);
    const before = performance.now();
    let folded = 0;
    for (let round = 0; round < 200_000 / count; round++) {
      const state = initialState(id);
      for (const event of events) evolve(state, event);
      folded += events.length;
      expect(state.end).toBe('completed');
    }
    const seconds = (performance.now() - before) / 1_000;
    console.log(`evolve: ${Math.round(folded / seconds).toLocaleString('en')} events/s`);
  },
  60_000,
);
