import type { CommandDecision, ProcessCommand } from '../decide/decision.types.js';
import { isoTime } from '../decide/iso-time.js';
import type { JsonObject } from '../json.types.js';
import { schemaFaults } from '../schema/json-schema.js';
import type { ProcessState } from '../state/process-state.js';
import { refuse } from './refuse.js';

type Of<K extends ProcessCommand['kind']> = Extract<ProcessCommand, { kind: K }>;

/** Taken once per message id, also when nobody waits for it yet. What no receiver that waits could take is refused. */
export function receiveMessage(state: ProcessState, command: Of<'receiveMessage'>, now: number): CommandDecision {
  const { messageId, name, key, path, payload, record } = command;
  if (state.messageIds.has(messageId)) return refuse('already-done', 'The message was taken before.');
  if (state.end !== null) return refuse('ended', `Expected an open process, but it is ${state.end}.`);
  if (path !== undefined) {
    const waitsFor = state.operators.get(path)?.waitsFor;
    if (waitsFor?.kind !== 'message' && waitsFor?.kind !== 'topic') {
      return refuse('not-open', `Expected ${path} to wait for a message, but it does not.`);
    }
    if (state.messages.some((message) => message.path === path)) {
      return refuse('conflict', `Expected ${path} to wait for a message, but another one came before.`);
    }
    if (waitsFor.kind === 'message' && waitsFor.schema !== undefined) {
      const errors = schemaFaults(waitsFor.schema, payload);
      if (errors.length > 0) return refuse('invalid', `The payload does not fit what ${path} waits for.`, { errors });
    }
  }
  for (const operator of path === undefined ? state.operators.values() : []) {
    const { waitsFor } = operator;
    if (operator.status !== 'waiting' || waitsFor?.kind !== 'message' || waitsFor.name !== name) continue;
    if (key !== undefined && key !== waitsFor.key) continue;
    if (waitsFor.schema === undefined) continue;
    const errors = schemaFaults(waitsFor.schema, payload);
    if (errors.length > 0)
      return refuse('invalid', `The payload does not fit what ${operator.path} waits for.`, { errors });
  }
  return {
    events: [
      {
        type: 'MessageReceived',
        data: {
          messageId,
          name,
          payload,
          receivedAt: isoTime(now),
          ...(key === undefined ? {} : { key }),
          ...(path === undefined ? {} : { path }),
          ...(record === undefined ? {} : { record }),
        },
      },
    ],
  };
}

export function endChild(state: ProcessState, command: Of<'endChild'>): CommandDecision {
  const { child, path, attempt, status, outputs, error } = command;
  if (state.children.has(child)) return refuse('already-done', 'The end of the child was recorded before.');
  if (state.end !== null) return refuse('ended', `Expected an open process, but it is ${state.end}.`);
  const operator = state.operators.get(path);
  if (operator?.waitsFor?.kind !== 'child' || operator.waitsFor.child !== child || operator.attempt !== attempt) {
    return refuse('not-open', `Expected ${path} to wait for the child ${child}, but it does not.`);
  }
  return {
    events: [
      {
        type: 'ChildEnded',
        data: {
          child,
          path,
          attempt,
          status,
          ...(outputs === undefined ? {} : { outputs }),
          ...(error === undefined ? {} : { error }),
        },
      },
    ],
  };
}

export function finishElsewhere(state: ProcessState, command: Of<'finishJob'> | Of<'finishCommand'>): CommandDecision {
  const { path, attempt, result } = command;
  const kind = command.kind === 'finishJob' ? 'job' : 'command';
  const operator = state.operators.get(path);
  if (operator === undefined || operator.attempt < attempt || operator.type === '') {
    return refuse('not-open', `Expected ${path} to run as a ${kind}, but it does not.`);
  }
  if (operator.attempt > attempt) return refuse('conflict', `Attempt ${attempt} of ${path} was superseded.`);
  if (operator.result !== undefined) return refuse('already-done', `The end of ${path} was recorded before.`);
  if (operator.status !== 'waiting' || operator.waitsFor?.kind !== kind) {
    return refuse('already-done', `Expected ${path} to be under way, but it is ${operator.status}.`);
  }
  const data = { path, attempt, result: { ...result } as JsonObject };
  return { events: [kind === 'job' ? { type: 'JobDone', data } : { type: 'CommandDone', data }] };
}
