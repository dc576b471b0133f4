import { processStatuses } from '@baton/contracts';
import { type Command, InvalidArgumentError } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { assignments, collect } from '../files.js';
import { leaf } from '../leaf.js';
import { definitionOf, follow } from '../live-process.js';
import { drawProcess } from '../render/process-drawing.js';
import { bold, dim, paintStatus, shorten, symbolOf } from '../render/style.js';
import { table } from '../render/table.js';
import { ago, between } from '../render/time.js';

interface ListOptions extends CommonOptions {
  status?: string;
  definition?: string;
  label: string[];
  limit: number;
}

export function processCommands(program: Command, cli: Cli): void {
  listCommand(program, cli);
  showCommand(program, cli);
  whyCommand(program, cli);
  for (const [verb, description] of [
    ['cancel', 'cancel it: what runs is cancelled, what is done is undone'],
    ['pause', 'pause it: nothing new begins'],
    ['resume', 'let a paused process go on'],
    ['retry', 'run a failed process on from where it failed'],
  ] as const)
    steerCommand(program, cli, verb, description);
}

function listCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'ps', 'processes, newest first')
    .option('-s, --status <status>', `only these, separated by commas: ${processStatuses.join(', ')}`)
    .option('-d, --definition <name>', 'only of this definition')
    .option('-l, --label <name=value>', 'only with this label (repeatable)', collect, [])
    .option('-n, --limit <n>', 'at most so many', limit, 50)
    .action(async (_options: unknown, self: Command) => {
      const options = optionsOf<ListOptions>(self);
      const { items } = await clientOf(cli, self).processes({
        limit: options.limit,
        labels: assignments(options.label, (_, text) => text),
        ...(options.status === undefined ? {} : { status: options.status }),
        ...(options.definition === undefined ? {} : { definition: options.definition }),
      });
      if (options.json) return printJson(cli, items);
      const now = Date.now();
      const rows = items.map((item) => [
        item.id,
        `${symbolOf(item.status)} ${paintStatus(item.status)}`,
        shorten(item.title ?? item.definition, 40),
        ago(item.requestedAt, now),
        between(item.startedAt, item.endedAt, now),
      ]);
      return cli.out(table(['process', 'status', 'title', 'requested', 'took'], rows));
    });
  example(command, 'ps --status running,waiting', 'ps -d web/release -l team=web');
}

function limit(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1_000)
    throw new InvalidArgumentError('It must be 1 to 1000.');
  return number;
}

function showCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'show <id>', 'draw the graph of a process with its state')
    .option('-f, --follow', 'draw it anew until it has ended')
    .action(async (id: string, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { follow?: boolean }>(self);
      const client = clientOf(cli, self);
      if (options.follow && !options.json) {
        await follow(cli, client, id);
        return;
      }
      const process = await client.process(id);
      if (options.json) printJson(cli, process);
      else
        for (const line of drawProcess(process, await definitionOf(client, process), cli.width, Date.now()))
          cli.out(line);
    });
  example(command, 'show c1-0193…', 'show c1-0193… --follow');
}

function whyCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'why <id>', 'why a process is not moving').action(
    async (id: string, _options: unknown, self: Command) => {
      const why = await clientOf(cli, self).why(id);
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, why);
      cli.out(bold(why.summary));
      for (const fact of why.because) cli.out(`  ${dim('·')} ${fact}`);
      return undefined;
    },
  );
  example(command, 'why c1-0193…');
}

function steerCommand(
  program: Command,
  cli: Cli,
  verb: 'cancel' | 'pause' | 'resume' | 'retry',
  description: string,
): void {
  const command = leaf(program, `${verb} <id>`, description)
    .option('-r, --reason <text>', 'why; it is kept in the log')
    .action(async (id: string, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { reason?: string }>(self);
      const answer = await clientOf(cli, self)[verb](id, options.reason);
      if (options.json) return printJson(cli, answer);
      return cli.out(`${symbolOf(answer.status)} ${answer.id} ${paintStatus(answer.status)}`);
    });
  example(command, `${verb} c1-0193… --reason "asked for by the team"`);
}
