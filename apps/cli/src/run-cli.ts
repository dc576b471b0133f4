import { BatonProblem, ServerOutOfReach } from '@baton/client';
import type { Problem } from '@baton/contracts';
import { CommanderError } from 'commander';
import type { Cli } from './cli.js';
import { CommandEnd, exitCodes } from './exit-codes.js';
import { batonProgram } from './program.js';

/** Runs one command line; the answer is the exit code (design 9). */
export async function runCli(argv: readonly string[], cli: Cli): Promise<number> {
  try {
    await batonProgram(cli).parseAsync([...argv], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return explain(error, cli);
  }
}

function explain(error: unknown, cli: Cli): number {
  if (error instanceof CommandEnd) {
    if (error.message !== '') cli.error(error.message);
    return error.exitCode;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
  if (error instanceof ServerOutOfReach) {
    cli.error(`${error.message}. Is it running? \`baton up\` starts one.`);
    return exitCodes.outOfReach;
  }
  if (error instanceof BatonProblem) {
    for (const line of problemLines(error.problem)) cli.error(line);
    return codeOf(error.problem.status);
  }
  throw error;
}

function problemLines(problem: Problem): string[] {
  const errors = (problem.errors ?? []).map((one) => {
    const place = one.line === undefined ? one.path : `${one.line}:${one.column ?? 1} ${one.path}`;
    return `  ${place}: ${one.message}${one.remedy ? ` ${one.remedy}` : ''}`;
  });
  return [`${problem.title}: ${problem.detail}`, ...errors, ...(problem.remedy ? [problem.remedy] : [])];
}

function codeOf(status: number): number {
  if (status === 404) return exitCodes.notFound;
  if (status === 401 || status === 403) return exitCodes.notAllowed;
  if (status === 503) return exitCodes.outOfReach;
  return status === 409 || status >= 500 ? exitCodes.failed : exitCodes.wrongUse;
}
