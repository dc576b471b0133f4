import { runCli } from './run-cli.js';

const narrowest = 60;
/** What goes into a file or another program is not cut off at the width of a terminal that is not there. */
const widthWithoutTerminal = 240;

const code = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  width: Math.max(narrowest, process.stdout.columns ?? widthWithoutTerminal),
  height: process.stdout.rows ?? 24,
  interactive: process.stdout.isTTY === true,
});
// `baton up` goes on in this process after its command line is done, and sets its own code.
if (code !== 0) process.exitCode = code;
