import { BatonClient } from '@baton/client';
import type { Command } from 'commander';
import { type ConnectionOptions, connectionFrom } from './connection.js';

/** What every command has at hand: the server, and where it writes. */
export interface Cli {
  env: NodeJS.ProcessEnv;
  out(line: string): void;
  error(line: string): void;
  width: number;
  /** Lines of the terminal. */
  height: number;
  interactive: boolean;
}

export interface CommonOptions extends ConnectionOptions {
  json?: boolean;
}

/** The command's own options and those before it (`baton --server URL ps`). */
export function optionsOf<T extends CommonOptions>(command: Command): T {
  return command.optsWithGlobals<T>();
}

/** A user at a terminal does not wait a minute for a server that is not there. */
const patienceMs = 5_000;

export function clientOf(cli: Cli, command: Command, patience = patienceMs): BatonClient {
  const connection = connectionFrom(optionsOf(command), cli.env);
  return new BatonClient({ ...connection, patienceMs: patience });
}

export function printJson(cli: Cli, value: unknown): void {
  cli.out(JSON.stringify(value, null, 2));
}

/** One line for `--help`: `Example: baton ps --status running`. */
export function example(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ baton ${line}`).join('\n')}`);
}
