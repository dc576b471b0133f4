import type { BatonClient } from '@baton/client';
import { z } from 'zod';
import type { EffectTarget } from '../e2e/effect.target.js';
import { eventually } from '../e2e/patience.js';
import type { StandaloneProcess } from '../e2e/standalone.process.js';

const child = `
kind: Process
name: contract/child
operators: { only: { type: set, value: 1 } }
outputs: { done: true }
`;
const everything = `
kind: Process
name: contract/everything
inputs: { target: { type: string }, closed: { type: string }, go: { type: boolean } }
labels: { team: web }
operators:
  skipped: { type: set, value: 1, when: "!inputs.go" }
  choose: { type: decision, outcomes: { left: "inputs.go", right: else } }
  left: { type: set, after: choose.left, value: 1 }
  right: { type: set, after: choose.right, value: 1 }
  wait: { type: delay, for: 200ms }
  poll:
    type: http
    method: GET
    url: "\${{ inputs.target }}/poll"
    repeat: { until: "iteration >= 2", max: 5, every: 100ms }
  flaky: { type: http, method: GET, url: "\${{ inputs.closed }}", retry: { attempts: 2, backoff: 100ms } }
  handled: { type: set, after: flaky.failed, value: 1 }
  each: { type: set, forEach: { in: [a, b], key: "\${{ item }}" }, value: "\${{ item }}" }
  ask: { type: user-task, title: Go?, form: { type: object, properties: { go: { type: boolean } } }, remind: 300ms }
  paid: { type: receive, message: paid, key: k }
  part: { type: process, definition: contract/child }
outputs: { asked: "\${{ operators.ask.output }}" }
`;
const undone = `
kind: Process
name: contract/undone
inputs: { target: { type: string } }
operators:
  make:
    type: http
    method: POST
    url: "\${{ inputs.target }}/make"
    recovery: rerun
    compensate: { type: http, method: POST, url: "\${{ inputs.target }}/unmake", recovery: rerun }
  break: { type: fail, after: make, message: on purpose }
finally:
  tidy: { type: set, value: 1 }
`;
const again = `
kind: Process
name: contract/again
operators: { break: { type: fail, message: on purpose } }
`;
const slow = `
kind: Process
name: contract/slow
operators: { wait: { type: delay, for: 1h } }
`;
const late = `
kind: Process
name: contract/late
timeout: 1s
operators: { wait: { type: delay, for: 1h } }
`;
const gated = `
kind: Process
name: contract/gated
inputs: { target: { type: string }, gate: { type: string }, ballast: { type: string, default: "" } }
operators:
  work: { type: http, method: POST, url: "\${{ inputs.target }}/gate/\${{ inputs.gate }}", recovery: ask }
  then: { type: http, method: POST, after: work, url: "\${{ inputs.target }}/then", recovery: rerun }
`;

/** Real processes that between them bring about every event that a standalone Baton can. Gives their ids. */
export async function harvest(baton: StandaloneProcess, client: BatonClient, target: EffectTarget): Promise<string[]> {
  target.open('open');
  for (const text of [child, everything, undone, again, slow, late, gated]) await client.publish(text);
  const begin = async (definition: string, inputs: Record<string, string | boolean> = {}) =>
    (await client.request({ definition: `contract/${definition}`, inputs })).id;
  const here = { target: target.url };
  const all = await begin('everything', { ...here, closed: 'http://127.0.0.1:1/', go: true });
  const broken = await begin('undone', here);
  const retried = await begin('again');
  const stopped = await begin('slow');
  const timedOut = await begin('late');
  const killed = await begin('gated', { ...here, gate: 'killed' });
  const large = await begin('gated', { ...here, gate: 'open', ballast: 'x'.repeat(261_900) });
  const ids = [all, broken, retried, stopped, timedOut, killed, large];

  await Promise.all([people(client, all), persons(client, stopped, retried)]);
  const ended = await eventually(async () =>
    (await client.events(all)).items.find(({ type }) => type === 'ChildEnded'),
  );
  ids.push(z.object({ child: z.string() }).parse(ended.data).child);
  await killOwner(baton, client, target, killed);
  await drainOwner(baton, client, target, here, ids);
  await Promise.all([all, broken, retried, stopped, timedOut, killed, large].map((id) => client.waitForEnd(id)));
  return ids;
}

async function persons(client: BatonClient, stopped: string, retried: string): Promise<void> {
  await untilStatus(client, stopped, 'waiting');
  await client.pause(stopped, 'look first');
  await untilStatus(client, stopped, 'paused');
  await client.resume(stopped, 'looked');
  await client.cancel(stopped, 'not needed');
  await client.waitForEnd(retried);
  await client.retry(retried, 'fixed');
  await eventually(async () => (await client.events(retried)).items.filter(isFailed).length === 2);
}

const isFailed = ({ type }: { type: string }) => type === 'ProcessFailed';

async function untilStatus(client: BatonClient, id: string, status: string): Promise<void> {
  await eventually(async () => (await client.process(id)).status === status);
}

async function people(client: BatonClient, id: string): Promise<void> {
  const task = await eventually(async () => (await client.tasks({ process: id })).items[0]);
  await client.claimTask(task.id);
  await client.draftTask(task.id, { go: false });
  await eventually(async () => (await client.events(id)).items.some(({ type }) => type === 'TaskReminded'));
  await client.answerTask(task.id, { go: true });
  await client.sendToProcess(id, { name: 'paid', payload: { amount: 1 } });
}

const executorOf = async (client: BatonClient, process: string) => {
  const { owner } = await client.process(process);
  return (await client.executors()).items.find((item) => item.id === owner)?.pid;
};

/** Nobody sees how its effect ended: another executor takes over and asks. */
async function killOwner(baton: StandaloneProcess, client: BatonClient, target: EffectTarget, id: string) {
  await target.untilAt('killed', 1);
  const pid = await eventually(() => executorOf(client, id));
  await baton.replace(pid, 'SIGKILL');
  const incident = await eventually(async () => (await client.incidents({ process: id })).items[0]);
  await client.resolveIncident(incident.id, { action: 'skip', reason: 'looked', output: { seen: true } });
}

/** An executor that is asked to end finishes what runs, and hands the rest of the process back. */
async function drainOwner(
  baton: StandaloneProcess,
  client: BatonClient,
  target: EffectTarget,
  here: { target: string },
  ids: string[],
) {
  const { id } = await client.request({ definition: 'contract/gated', inputs: { ...here, gate: 'drained' } });
  ids.push(id);
  await target.untilAt('drained', 1);
  const pid = await eventually(() => executorOf(client, id));
  const replaced = baton.replace(pid, 'SIGTERM');
  await eventually(async () =>
    (await client.executors()).items.some((item) => item.pid === pid && item.status === 'draining'),
  );
  target.open('drained');
  await replaced;
  await client.waitForEnd(id);
}
