import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evolve } from '../state/evolve.js';
import { fromSnapshot, toSnapshot } from '../state/snapshot.js';
import { Given } from './given.spec-helper.js';
import { undoOrder } from './undo-order.js';

/** Definitions, outcomes, deaths, pauses and cancellations at random. The helper checks stream and replay after each. */
const operator = (name: string, links: string[], choice: number, join: string): string => {
  const after = links.length === 0 ? '' : `, after: [${links.join(', ')}]${join}`;
  const undo = ', compensate: { type: http, method: POST, url: "https://u", recovery: rerun, onUnknown: true }';
  const effect = `type: http, method: POST, url: "https://x"`;
  switch (choice) {
    case 0:
      return `  ${name}: { type: set, value: 1${after} }`;
    case 1:
      return `  ${name}: { ${effect}, recovery: rerun, retry: { attempts: 2 }${undo}${after} }`;
    case 2:
      return `  ${name}: { ${effect}, recovery: fail${undo}${after} }`;
    case 3:
      return `  ${name}: { type: delay, for: 1h${after} }`;
    case 4:
      return `  ${name}: { type: group${after}, deadline: 90m, retry: { attempts: 2 }, operators: { i: { ${effect}, recovery: rerun${undo} }, d: { type: delay, for: 1m }, j: { type: set, after: [i], value: 2 } } }`;
    case 5:
      return `  ${name}: { ${effect}, recovery: rerun, forEach: { in: [1, 2, 3], maxParallel: 2, stopAfterFailures: 2 }${undo}${after} }`;
    case 6:
      return `  ${name}: { ${effect}, recovery: rerun, expect: "true", repeat: { until: output.status == 200, max: 3, every: 1m }${undo}${after} }`;
    case 8:
      return `  ${name}: { type: group${after}, forEach: { in: [1, 2], stopAfterFailures: 1 }, compensate: { ${effect}, recovery: rerun }, operators: { k: { ${effect}, recovery: rerun${undo} }, w: { type: user-task, after: [k.failed], deadline: 1h } } }`;
    case 9:
      return `  ${name}: { ${effect}, recovery: verify, verify: { type: http, method: GET, url: "https://v", outcomes: { happened: output.status == 200, not-happened: else } }${undo}${after} }`;
    case 10:
      return `  ${name}: { type: group${after}, timeout: 3h, repeat: { until: iteration == 2, max: 3, every: 1m }, operators: { k: { ${effect}, recovery: fail${undo} }, e: { type: set, after: [k.any], value: 1 } } }`;
    case 11:
      return `  ${name}: { ${effect}, recovery: rerun, forEach: { in: [1, 2, 3], batches: [1, 100%] }, retry: { attempts: 2, items: failed }${undo}${after} }`;
    case 12:
      return `  ${name}: { type: process, definition: other${after} }`;
    default:
      return `  ${name}: { ${effect}, recovery: ask${undo}${after} }`;
  }
};

const definition = fc
  .array(
    fc.record({
      choice: fc.nat({ max: 13 }),
      links: fc.array(fc.record({ to: fc.nat({ max: 5 }), on: fc.constantFrom('', '', '.failed', '.any') }), {
        maxLength: 2,
      }),
      join: fc.constantFrom('', ', join: any', ', join: settled', ', join: any, cancelRest: true'),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((shapes) =>
    shapes.map(({ choice, links, join }, index) => {
      const from = new Map(links.filter((link) => link.to < index).map((link) => [link.to, `o${link.to}${link.on}`]));
      return operator(`o${index}`, [...from.values()], choice, join);
    }),
  )
  .chain((lines) =>
    fc
      .record({
        onFailure: fc.constantFrom('compensate', 'drain', 'hold'),
        final: fc.constantFrom('', '\nfinally:\n  f: { type: http, method: POST, url: "https://f", recovery: rerun }'),
      })
      .map(({ onFailure, final }) => `onFailure: ${onFailure}\noperators:\n${lines.join('\n')}${final}`),
  );

const move = fc.record({
  act: fc.constantFrom(
    'completed',
    'completed',
    'completed',
    'failed',
    'unknown',
    'not-begun',
    'die',
    'die',
    'time',
    'time',
    'pause',
    'resume',
    'cancel',
    'drain',
    'retry',
  ),
  which: fc.nat({ max: 9 }),
  status: fc.constantFrom(200, 503),
});
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

function play(given: Given, { act, which, status }: Move, incarnation: number): void {
  const running = [...given.running];
  const [path = '', attempt = '1'] = (running[which % Math.max(1, running.length)] ?? '').split(/#(?=\d+$)/);
  const by = { id: 'bob' };
  switch (act) {
    case 'completed':
      if (path !== '') given.end(path, { status: 'completed', output: { status } }, Number(attempt));
      return;
    case 'failed':
      if (path !== '') given.end(path, { status: 'failed', error: { code: 'x', message: 'x' } }, Number(attempt));
      return;
    case 'unknown':
    case 'not-begun':
      if (path !== '') given.end(path, { status: act, reason: 'cut' }, Number(attempt));
      return;
    case 'die':
      if (given.state.owner !== null) given.takenOverBy(`e${incarnation}`, which % 3 !== 0);
      return;
    case 'time':
      given.after(which * 12 * 60_000);
      return;
    case 'drain':
      given.draining = true;
      if (given.state.owner !== null && given.state.end === null) given.decide();
      given.draining = false;
      return;
    case 'pause':
    case 'resume':
    case 'cancel':
    case 'retry':
      given.command({ kind: act, by });
  }
}

/** The child ends as it was told, or completes. */
function endOneChild(given: Given): boolean {
  for (const { path, attempt, status, waitsFor } of given.state.operators.values()) {
    if (status !== 'waiting' || waitsFor?.kind !== 'child') continue;
    const how = given.state.cancel === null ? 'completed' : 'cancelled';
    given.command({ kind: 'endChild', child: waitsFor.child, path, attempt, status: how });
    return true;
  }
  return false;
}

/** Everything that can go on goes on: a person resolves incidents, time passes, effects come back. */
function finish(given: Given): void {
  for (let round = 0; round < 400 && given.state.end === null; round++) {
    for (const executor of ['e1', ...given.over, ...(given.last?.heldBy ?? [])])
      if (executor !== given.executor) given.over.add(executor);
    given.command({ kind: 'resume', by: { id: 'bob' } });
    const [running] = [...given.running];
    const incident = [...given.state.incidents.values()][0];
    if (running !== undefined) {
      const [path = '', attempt = '1'] = running.split(/#(?=\d+$)/);
      given.end(path, { status: 'completed', output: { status: 200 } }, Number(attempt));
    } else if (incident !== undefined) {
      given.command({
        kind: 'resolveIncident',
        incidentId: incident.id,
        action: incident.actions.includes('skip') ? 'skip' : 'fail',
        by: { id: 'bob' },
      });
    } else if (!endOneChild(given)) given.after(3_600_000);
  }
}

it('replay equals live after every decision, every stream is sound, and every process ends', () => {
  fc.assert(
    fc.property(definition, fc.array(move, { maxLength: 25 }), (text, moves) => {
      const given = Given.of(text);
      given.decide();
      moves.forEach((one, index) => {
        play(given, one, index + 2);
      });
      finish(given);
      expect(given.state.end, given.types.join('\n')).not.toBe(null);
      expect(given.log.some((event) => event.type === 'IncidentRaised' && event.data.kind === 'stuck')).toBe(false);
      // What is done and has an undo was undone, unless a person said otherwise.
      if (given.state.end === 'completed') return;
      for (const path of undoOrder(given.definition, given.state)) {
        expect(['skipped', 'failed'], given.types.join('\n')).toContain(given.status(`${path}/compensate`));
      }
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 150) },
  );
}, 120_000);

it('a snapshot and the tail after it give the state that the whole stream gives', () => {
  fc.assert(
    fc.property(definition, fc.array(move, { maxLength: 15 }), fc.nat({ max: 60 }), (text, moves, at) => {
      const given = Given.of(text);
      given.decide();
      moves.forEach((one, index) => {
        play(given, one, index + 2);
      });
      const whole = given.replayed();
      const half = Given.of(text);
      half.log.splice(0, half.log.length, ...given.log.slice(0, at));
      const restored = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(half.replayed()))));
      if (restored === undefined) throw new Error('the snapshot could not be read');
      for (const event of given.log.slice(at)) evolve(restored, event);
      expect(toSnapshot(restored)).toEqual(toSnapshot(whole));
    }),
    { numRuns: 100 },
  );
}, 60_000);
