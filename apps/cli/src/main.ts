import { runCli } from './run-cli.js';

const narrowest = 60;

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  width: Math.max(narrowest, process.stdout.columns ?? 80),
  height: process.stdout.rows ?? 24,
  interactive: process.stdout.isTTY === true,
});
