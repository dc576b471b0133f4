import { type OperatorType } from '@baton/operators';
import type { EffectResult, OperatorDescriptor } from '@baton/process';
import { z } from 'zod';
import type { Checker } from './checker.js';
import type { SeededRandom } from './seeded.random.js';
import type { SimulatedNode, VirtualTime } from './virtual.time.js';

const fields = { takes: z.int().optional(), fails: z.int().optional() };

/** An effect on the world outside; the world counts it. */
export const workDescriptor: OperatorDescriptor = {
  type: 'work',
  class: 'effect',
  summary: 'Does something in the simulated world.',
  fields: z.object(fields),
  secretFields: [],
};

/** Asks the world whether an effect of that operator happened. */
export const checkWorkDescriptor: OperatorDescriptor = {
  type: 'check-work',
  class: 'effect',
  summary: 'Asks the simulated world.',
  fields: z.object({}),
  secretFields: [],
  defaultRecovery: () => 'rerun',
  lateBeginIsHarmless: () => true,
};

/** The world outside: it remembers what happened under which key, and dies with nobody. */
export class World {
  /** Times that a key was done and answered with a failure. */
  readonly failures = new Map<string, number>();
  readonly happened = new Set<string>();
}

export interface OperatorPorts {
  world: World;
  checker: Checker;
  time: VirtualTime;
  node: SimulatedNode;
  random: SeededRandom;
  incarnation: () => string;
  /** Chance that the connection to the target breaks after the request left. */
  breaks: () => number;
}

/** The operator types of one node. */
export function simulatedOperators(ports: OperatorPorts): Map<string, OperatorType> {
  const work: OperatorType = {
    descriptor: workDescriptor,
    run: async (context) => {
      const { world, checker, node, random } = ports;
      await pause(node, random.between(0, 3));
      context.begin();
      const stream = context.processId;
      const { path, attempt, idempotencyKey: key } = context;
      checker.effect({ stream, path, attempt, executor: ports.incarnation(), at: ports.time.current() });
      const base = path.replace(/\/compensate$/, '');
      const planned = Number(context.fields['fails'] ?? 0);
      const failed = world.failures.get(key) ?? 0;
      const fails = failed < planned;
      if (fails) world.failures.set(key, failed + 1);
      else world.happened.add(`${stream} ${base}`);
      const unknown = (reason: string): EffectResult => {
        checker.unknown(stream, path, attempt);
        return { status: 'unknown', reason };
      };
      const broken = random.chance(ports.breaks());
      const ended = await pause(node, Number(context.fields['takes'] ?? 1), context.signal);
      if (!ended) return unknown('aborted while it ran');
      if (broken) return unknown('the connection broke after the request had left');
      if (fails) return { status: 'failed', error: { code: 'refused', message: 'as planned' } };
      return { status: 'completed', output: { done: base.replaceAll(/#\d+/g, '') } };
    },
  };
  const check: OperatorType = {
    descriptor: checkWorkDescriptor,
    run: async (context) => {
      await pause(ports.node, 1);
      context.begin();
      const path = context.path.replace(/\/verify$/, '');
      const happened = ports.world.happened.has(`${context.processId} ${path}`);
      return { status: 'completed', output: { done: path.replaceAll(/#\d+/g, ''), happened } };
    },
  };
  return new Map([
    ['work', work],
    ['check-work', check],
  ]);
}

/** False: aborted before. */
function pause(node: SimulatedNode, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const cancel = node.after(ms, () => resolve(true));
    signal?.addEventListener('abort', () => {
      cancel();
      resolve(false);
    });
  });
}
