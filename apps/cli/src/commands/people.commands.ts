import { incidentActions } from '@baton/contracts';
import { Argument, type Command, Option } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { wrongUse } from '../exit-codes.js';
import { assignments, collect, jsonArgument, jsonOrText } from '../files.js';
import { leaf } from '../leaf.js';
import { paint, shorten } from '../render/style.js';
import { table } from '../render/table.js';
import { ago } from '../render/time.js';

/** What waits for a person: tasks, messages, incidents. */
export function peopleCommands(program: Command, cli: Cli): void {
  taskCommands(program, cli);
  messageCommand(program, cli);
  incidentCommands(program, cli);
}

function taskCommands(program: Command, cli: Cli): void {
  const task = program.command('task').description('what people are asked');
  const list = leaf(task, 'list', 'open tasks, oldest first')
    .option('-p, --process <id>', 'only of this process')
    .option('--mine', 'only what you may answer')
    .action(async (_options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { process?: string; mine?: boolean }>(self);
      const { items } = await clientOf(cli, self).tasks({
        limit: 500,
        ...(options.process === undefined ? {} : { process: options.process }),
        ...(options.mine ? { mine: true } : {}),
      });
      if (options.json) return printJson(cli, items);
      const rows = items.map((item) => [
        item.id,
        shorten(item.title ?? item.path, 24),
        shorten(item.instructions ?? '', 40),
        ago(item.assignedAt, Date.now()),
        item.process,
      ]);
      return cli.out(table(['task', 'title', 'instructions', 'since', 'process'], rows));
    });
  example(list, 'task list --mine');
  const answer = leaf(task, 'answer <id> [json]', 'answer a task')
    .option('-s, --set <name=value>', 'a field of the answer (repeatable)', collect, [])
    .action(async (id: string, json: string | undefined, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { set: string[] }>(self);
      if (json === undefined && options.set.length === 0)
        throw wrongUse('There is no answer. Give it as JSON, \'{"go": true}\', or by --set go=true.');
      const fields = assignments(options.set, (_, text) => jsonOrText(text));
      const done = await clientOf(cli, self).answerTask(
        id,
        json === undefined ? fields : jsonArgument(json, 'The answer'),
      );
      if (options.json) return printJson(cli, done);
      return cli.out(`${paint('green', '✔')} answered; it belongs to process ${done.process}`);
    });
  example(answer, 'task answer 0193… --set go=true --set comment="looks good"');
}

function messageCommand(program: Command, cli: Cli): void {
  const command = leaf(
    program,
    'message <id> <name> [json]',
    'send a message to a process, or with --key to whoever waits for it',
  )
    .option('-k, --key', 'ID is a correlation key')
    .action(async (id: string, name: string, json: string | undefined, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { key?: boolean }>(self);
      const payload = json === undefined ? null : jsonArgument(json, 'The payload');
      const client = clientOf(cli, self);
      const answer = options.key
        ? await client.sendMessage({ name, key: id, payload })
        : await client.sendToProcess(id, { name, payload });
      if (options.json) return printJson(cli, answer);
      return cli.out(
        answer.delivered === null
          ? 'Kept: nobody waits for it yet.'
          : `${paint('green', '✔')} taken by ${answer.delivered}`,
      );
    });
  example(command, 'message c1-0193… paid \'{"amount": 12}\'', 'message order-17 paid \'{"amount": 12}\' --key');
}

function incidentCommands(program: Command, cli: Cli): void {
  const incident = program.command('incident').description('processes that cannot go on without a person');
  const list = leaf(incident, 'list', 'open incidents, oldest first')
    .option('-p, --process <id>', 'only of this process')
    .action(async (_options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { process?: string }>(self);
      const { items } = await clientOf(cli, self).incidents({
        limit: 500,
        ...(options.process === undefined ? {} : { process: options.process }),
      });
      if (options.json) return printJson(cli, items);
      const rows = items.map((item) => [
        item.id,
        item.kind,
        item.path ?? '',
        shorten(item.reason, 50),
        item.actions.join(' | '),
        item.process,
      ]);
      return cli.out(table(['incident', 'kind', 'operator', 'reason', 'actions', 'process'], rows));
    });
  example(list, 'incident list');
  const resolve = leaf(incident, 'resolve <id>', 'say how it goes on')
    .addArgument(new Argument('<action>').choices([...incidentActions]))
    .addOption(new Option('-r, --reason <text>', 'why; it is kept in the log').makeOptionMandatory())
    .option('-o, --output <json>', 'with skip: what the operator is taken to have put out')
    .action(async (id: string, action: (typeof incidentActions)[number], _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { reason: string; output?: string }>(self);
      const answer = await clientOf(cli, self).resolveIncident(id, {
        action,
        reason: options.reason,
        ...(options.output === undefined ? {} : { output: jsonArgument(options.output, 'The output') }),
      });
      if (options.json) return printJson(cli, answer);
      return cli.out(`${paint('green', '✔')} ${answer.action}; it belongs to process ${answer.process}`);
    });
  example(resolve, 'incident resolve 0193… skip --output \'{"status": 200}\' --reason "checked by hand"');
}
