import type { CommandResult } from '@baton/event-log';
import type { Refusal } from '@baton/process';
import { type ProblemError, refuse } from './problem.error.js';

export function unknownProcess(id: string): ProblemError {
  return refuse('not-found', `there is no process ${id}`, { remedy: 'GET /v1/processes lists them' });
}

/** A refusal of the core as a problem: it keeps its reason, its remedy and its places. */
export function refusalProblem(refusal: Refusal): ProblemError {
  const errors = refusal.errors ? { errors: refusal.errors } : {};
  const extras = { ...(refusal.remedy ? { remedy: refusal.remedy } : {}), ...errors };
  if (refusal.code === 'invalid') return refuse('invalid', refusal.reason, extras);
  if (refusal.code === 'not-allowed') return refuse('not-allowed', refusal.reason, extras);
  return refuse('no-longer-fits', refusal.reason, extras);
}

/** The result of a command that was done; refusals and unknown processes are thrown. */
export function doneOrThrow(result: CommandResult, process: string): Extract<CommandResult, { status: 'done' }> {
  if (result.status === 'not-found') throw unknownProcess(process);
  if (result.status === 'refused') throw refusalProblem(result.refusal);
  return result;
}

/** Ids of tasks and incidents begin with their process's, so that it is found also when they are over. */
export function processOfPart(id: string): string | undefined {
  const dot = id.lastIndexOf('.');
  return dot > 0 ? id.slice(0, dot) : undefined;
}
