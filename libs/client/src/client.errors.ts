import type { Problem } from '@baton/contracts';

/** The server answered, and refused. */
export class BatonProblem extends Error {
  override name = 'BatonProblem';
  constructor(readonly problem: Problem) {
    super(problem.remedy ? `${problem.detail} — ${problem.remedy}` : problem.detail);
  }
  get status(): number {
    return this.problem.status;
  }
}

/** Nobody answered, for as long as the client was told to be patient. */
export class ServerOutOfReach extends Error {
  override name = 'ServerOutOfReach';
  constructor(
    readonly url: string,
    /** Whether what was asked for may have happened all the same. */
    readonly mayHaveHappened: boolean,
    cause: unknown,
  ) {
    const doubt = mayHaveHappened ? '; what was asked for may have happened all the same' : '';
    super(`${new URL(url).origin} is out of reach (${causeOf(cause)})${doubt}`, { cause });
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause;
  if (inner instanceof Error && 'code' in inner) return String(inner.code);
  return inner instanceof Error ? inner.message : error.message;
}
