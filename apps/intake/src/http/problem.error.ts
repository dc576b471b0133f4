import { type Problem, type ProblemCode, type ProblemExtras, problem } from '@baton/contracts';

/** A refusal on its way to the caller. Thrown only at the edge: inside, refusals are data. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  constructor(
    readonly problem: Problem,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(problem.detail);
  }
}

export function refuse(code: ProblemCode, detail: string, extras: ProblemExtras = {}): ProblemError {
  return new ProblemError(problem(code, detail, extras));
}
