import { Command } from 'commander';
import type { Cli } from './cli.js';
import { busCommands } from './commands/bus.commands.js';
import { checkCommand } from './commands/check.command.js';
import { clusterCommands } from './commands/cluster.commands.js';
import { logCommand } from './commands/log.command.js';
import { peopleCommands } from './commands/people.commands.js';
import { processCommands } from './commands/process.commands.js';
import { definitionCommands, publishCommand } from './commands/publish.command.js';
import { runCommand } from './commands/run.command.js';
import { upCommand } from './commands/up.command.js';
import { wrongUse } from './exit-codes.js';

/** The whole command line; a new command is its file and a line here. */
export function batonProgram(cli: Cli): Command {
  const program = new Command('baton')
    .description('Process automation that does not lose its place')
    .option('--server <url>', 'the address of the server (BATON_URL)')
    .option('--token <token>', 'who you are (BATON_TOKEN)')
    .configureOutput({ writeOut: (text) => cli.out(text.trimEnd()), writeErr: (text) => cli.error(text.trimEnd()) })
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError()
    .showHelpAfterError('(baton COMMAND --help tells more)')
    .exitOverride()
    .hook('preAction', (_, action) => refuseEmpty(action));
  upCommand(program);
  checkCommand(program, cli);
  publishCommand(program, cli);
  runCommand(program, cli);
  processCommands(program, cli);
  logCommand(program, cli);
  peopleCommands(program, cli);
  definitionCommands(program, cli);
  clusterCommands(program, cli);
  busCommands(program, cli);
  return program;
}

/** `baton show "$ID"` with a variable that is not set: the address of nothing is that of the whole list. */
function refuseEmpty(action: Command): void {
  const empty = action.args.indexOf('');
  const name = action.registeredArguments[empty]?.name();
  if (name !== undefined) throw wrongUse(`<${name}> is empty. Is a variable of the shell not set?`);
}
