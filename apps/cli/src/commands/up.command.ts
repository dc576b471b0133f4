import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { example } from '../cli.js';
import { CommandEnd, exitCodes } from '../exit-codes.js';

/** Starts the whole system in the foreground: it is `apps/standalone`, which knows its own options. */
export function upCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start the whole system here, over an embedded PostgreSQL, and stay')
    .usage(
      '[--data DIR] [--port N] [--executors N] [--database URL] [--operators MODULE] [--allow-address CIDR] [--no-restart]',
    )
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[options...]')
    .action(async (_given: string[], _options: unknown, self: Command) => {
      const code = await start(self.args);
      if (code !== 0) throw new CommandEnd(code);
    });
  example(command, 'up --data ./baton-data --port 8080 --executors 3');
}

async function start(options: readonly string[]): Promise<number> {
  const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'standalone', 'main.js');
  if (!existsSync(main)) throw new CommandEnd(exitCodes.failed, 'Baton is not built. Run: npm run build');
  const child = spawn(process.execPath, [main, ...options], { stdio: 'inherit' });
  // Ctrl-C reaches the child by the terminal; other signals are handed on, and its end is waited for.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (signal !== 'SIGINT') child.kill(signal);
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? exitCodes.done : exitCodes.failed)));
  });
}
