import type { Command } from 'commander';

/** A command that asks a server: it takes the address, the token and --json, wherever they stand. */
export function leaf(
  parent: Command,
  nameAndArguments: string,
  description: string,
  options: { isDefault?: boolean } = {},
): Command {
  return parent
    .command(nameAndArguments, options)
    .description(description)
    .option('--server <url>', 'the address of the server (BATON_URL)')
    .option('--token <token>', 'who you are (BATON_TOKEN)')
    .option('--data <directory>', 'the data directory of `baton up`, to find its address and token')
    .option('--json', 'answer in JSON');
}
