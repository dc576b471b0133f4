import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { example } from '../cli.js';
import { CommandEnd, exitCodes } from '../exit-codes.js';

/**
 * Starts the whole system in the foreground: it is `apps/standalone`, which knows its own options.
 * It runs in this very process, so that a signal reaches it once, whoever sends it to whom.
 */
export function upCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start the whole system here, over an embedded PostgreSQL, and stay')
    .usage(
      '[--data DIR] [--port N] [--executors N] [--database URL] [--kafka | --brokers LIST] [--otlp URL] [--operators MODULE] [--allow-address CIDR]',
    )
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[options...]')
    .action(async (_given: string[], _options: unknown, self: Command) => start(self.args));
  example(command, 'up --data ./baton-data --port 8080 --executors 3');
}

async function start(options: readonly string[]): Promise<void> {
  const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'standalone', 'main.js');
  if (!existsSync(main)) throw new CommandEnd(exitCodes.failed, 'Baton is not built. Run: npm run build');
  process.argv = [process.execPath, main, ...options];
  await import(/* webpackIgnore: true */ pathToFileURL(main).href);
}
