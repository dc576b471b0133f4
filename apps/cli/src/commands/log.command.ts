import type { ProcessEventItem } from '@baton/contracts';
import type { Command } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { leaf } from '../leaf.js';
import { eventLine } from '../render/event-line.js';

interface LogOptions extends CommonOptions {
  follow?: boolean;
}

/** `log ID` reads a process's events; `log rebuild` makes what is derived from all logs again. */
export function logCommand(program: Command, cli: Cli): void {
  const command = leaf(
    program,
    'log <id>',
    'the events of a process; `log rebuild` makes read models again from the log',
  )
    .option('-f, --follow', 'go on until the process has ended')
    .action(async (id: string, _options: unknown, self: Command) => {
      const options = optionsOf<LogOptions>(self);
      const client = clientOf(cli, self);
      if (id === 'rebuild') {
        const started = await client.rebuildLog();
        if (options.json) printJson(cli, started);
        else cli.out('Read models and derived columns are being made again from the log.');
        return;
      }
      const print = (event: ProcessEventItem) =>
        cli.out(options.json ? JSON.stringify(event) : eventLine(event, cli.width));
      if (options.follow) for await (const event of client.stream(id)) print(event);
      else {
        for (let after = 0; ; ) {
          const { items, next } = await client.events(id, { after, limit: 1_000 });
          for (const event of items) print(event);
          after = items.at(-1)?.sequence ?? after;
          if (next === null || items.length === 0) break;
        }
      }
    });
  example(command, 'log c1-0193… --follow', 'log c1-0193… --json', 'log rebuild');
}
