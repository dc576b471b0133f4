import type { CommandDecision, ProcessCommand, Refusal } from '../decide/decision.types.js';
import { isoTime } from '../decide/iso-time.js';
import type { Json } from '../json.types.js';
import { schemaFaults } from '../schema/json-schema.js';
import type { ProcessState, TaskState } from '../state/process-state.js';
import { refuse } from './refuse.js';

type Of<K extends ProcessCommand['kind']> = Extract<ProcessCommand, { kind: K }>;
interface Person {
  id: string;
  groups?: string[];
}

const listOf = (assign: Json, part: 'users' | 'roles' | 'notBy'): string[] => {
  if (typeof assign !== 'object' || assign === null || Array.isArray(assign)) return [];
  const names = assign[part];
  return Array.isArray(names) ? names.map(String) : [];
};

/** Nobody lifts `notBy`, not even by delegation. */
export function mayAnswer(task: TaskState, by: Person): true | string {
  if (listOf(task.assign, 'notBy').includes(by.id)) return `${by.id} may not answer it, by its \`notBy\``;
  if (task.delegatedTo !== null) return task.delegatedTo === by.id || `it was handed to ${task.delegatedTo}`;
  const users = listOf(task.assign, 'users');
  const roles = listOf(task.assign, 'roles');
  if (users.length === 0 && roles.length === 0) return true;
  if (users.includes(by.id) || roles.some((role) => by.groups?.includes(role))) return true;
  return `it is for ${[...users, ...roles].join(', ')}`;
}

function openTask(state: ProcessState, taskId: string): TaskState | { refused: Refusal } {
  const path = state.tasks.get(taskId);
  const task = path === undefined ? undefined : state.operators.get(path)?.task;
  if (task !== undefined) return task;
  const closed = state.closedTasks.get(taskId);
  if (closed !== undefined) return { refused: { code: 'not-open', reason: `Expected an open task, but ${closed}.` } };
  if (state.end !== null) {
    return { refused: { code: 'ended', reason: `Expected an open task, but the process is ${state.end}.` } };
  }
  return { refused: { code: 'not-open', reason: 'Expected an open task, but this process has none with that id.' } };
}

export function answerTask(state: ProcessState, command: Of<'answerTask'>, now: number): CommandDecision {
  const { taskId, answer, by } = command;
  const task = openTask(state, taskId);
  if ('refused' in task) return task;
  const path = state.tasks.get(taskId) ?? '';
  if (task.answers.some((given) => given.by.id === by.id)) {
    const expected = task.answers.length < task.needs ? 'an answer of somebody else' : 'an open task';
    return refuse('already-done', `Expected ${expected}, but ${by.id} has answered it before.`);
  }
  if (task.answers.length >= task.needs)
    return refuse('conflict', 'Expected an open task, but it was answered before.');
  const allowed = mayAnswer(task, by);
  if (allowed !== true) return refuse('not-allowed', `Expected somebody who may answer the task, but ${allowed}.`);
  if (state.cancel !== null || state.timedOut)
    return refuse('conflict', 'Expected an open task, but its process is ending.');
  if (task.claimedBy !== null && task.claimedBy !== by.id) {
    return refuse('conflict', `Expected a free task, but ${task.claimedBy} works on it.`, {
      remedy: 'Ask them to give it back, or to delegate it.',
    });
  }
  if (task.form !== null) {
    const errors = schemaFaults(task.form, answer);
    if (errors.length > 0) return refuse('invalid', 'The answer does not fit the form.', { errors });
  }
  return { events: [{ type: 'TaskAnswered', data: { taskId, path, answer, by, answeredAt: isoTime(now) } }] };
}

export function updateTask(state: ProcessState, command: Of<'updateTask'>): CommandDecision {
  const { taskId, by, draft, claim, delegateTo } = command;
  const task = openTask(state, taskId);
  if ('refused' in task) return task;
  const allowed = mayAnswer(task, by);
  if (allowed !== true) return refuse('not-allowed', `Expected somebody who may answer the task, but ${allowed}.`);
  if (task.claimedBy !== null && task.claimedBy !== by.id) {
    return refuse('conflict', `Expected a free task, but ${task.claimedBy} works on it.`);
  }
  if (delegateTo !== undefined && listOf(task.assign, 'notBy').includes(delegateTo)) {
    return refuse(
      'not-allowed',
      `Expected somebody who may answer the task, but ${delegateTo} may not, by its \`notBy\`.`,
    );
  }
  const claimedBy = delegateTo !== undefined ? delegateTo : claim === undefined ? undefined : claim ? by.id : null;
  return {
    events: [
      {
        type: 'TaskUpdated',
        data: {
          taskId,
          by,
          ...(draft === undefined ? {} : { draft }),
          ...(claimedBy === undefined ? {} : { claimedBy }),
          ...(delegateTo === undefined ? {} : { delegatedTo: delegateTo }),
        },
      },
    ],
  };
}
