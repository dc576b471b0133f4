import {
  type Environment,
  environmentBodySchema,
  roles,
  type SettingChanges,
  settingChangesSchema,
} from '@baton/contracts';
import { type Command, Option } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { wrongUse } from '../exit-codes.js';
import { assignments, collect, jsonOrText, readMap } from '../files.js';
import { leaf } from '../leaf.js';
import { bold, dim, paint } from '../render/style.js';
import { table } from '../render/table.js';
import { ago } from '../render/time.js';

/** The cluster itself: executors, environments, tokens, settings. */
export function clusterCommands(program: Command, cli: Cli): void {
  executorCommand(program, cli);
  environmentCommands(program, cli);
  tokenCommands(program, cli);
  settingsCommand(program, cli);
}

function executorCommand(program: Command, cli: Cli): void {
  const executor = program.command('executor').description('the servers that drive processes');
  const list = leaf(executor, 'list', 'executors, those lost in the last hour too').action(
    async (_options: unknown, self: Command) => {
      const { items } = await clientOf(cli, self).executors();
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, items);
      const look = { alive: 'green', draining: 'yellow', suspect: 'yellow', lost: 'red', left: 'gray' } as const;
      const rows = items.map((item) => [
        item.id,
        paint(look[item.status], item.status),
        `${item.processes}/${item.capacity}`,
        `${item.host}:${item.pid}`,
        ago(item.heartbeatAt, Date.now()),
      ]);
      return cli.out(table(['executor', 'status', 'processes', 'host:pid', 'heartbeat'], rows));
    },
  );
  example(list, 'executor list');
}

function environmentCommands(program: Command, cli: Cli): void {
  const environment = program
    .command('environment')
    .description('where processes act: variables, connections, secrets');
  const set = leaf(
    environment,
    'set <file>',
    'set one from a YAML or JSON file: { name, variables, connections, secrets }',
  ).action(async (file: string, _options: unknown, self: Command) => {
    const { name, ...rest } = readMap(file);
    if (typeof name !== 'string') throw wrongUse(`${file} does not say which environment: add \`name: staging\`.`);
    const body = environmentBodySchema.safeParse(rest);
    if (!body.success)
      throw wrongUse(body.error.issues.map((issue) => `${file}: ${issue.path.join('.')} ${issue.message}`).join('\n'));
    const answer = await clientOf(cli, self).setEnvironment(name, body.data);
    if (optionsOf<CommonOptions>(self).json) return printJson(cli, answer);
    return showEnvironment(cli, answer);
  });
  example(set, 'environment set staging.yaml');
  const list = leaf(environment, 'list', 'all of them').action(async (_options: unknown, self: Command) => {
    const { items } = await clientOf(cli, self).environments({ limit: 500 });
    if (optionsOf<CommonOptions>(self).json) return printJson(cli, items);
    const rows = items.map((item) => [
      item.name,
      String(Object.keys(item.variables).length),
      Object.keys(item.connections).join(', '),
      item.secrets.join(', '),
      ago(item.updatedAt, Date.now()),
    ]);
    return cli.out(table(['environment', 'variables', 'connections', 'secrets', 'changed'], rows));
  });
  example(list, 'environment list');
  const show = leaf(environment, 'show <name>', 'one of them; what connections and secrets hold is never shown').action(
    async (name: string, _options: unknown, self: Command) => {
      const found = await clientOf(cli, self).environment(name);
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, found);
      return showEnvironment(cli, found);
    },
  );
  example(show, 'environment show staging');
}

function showEnvironment(cli: Cli, environment: Environment): void {
  cli.out(bold(environment.name));
  for (const [name, value] of Object.entries(environment.variables)) cli.out(`  ${name} = ${JSON.stringify(value)}`);
  for (const [name, { type }] of Object.entries(environment.connections))
    cli.out(`  ${name} ${dim(`connection, ${type}`)}`);
  for (const name of environment.secrets) cli.out(`  ${name} ${dim('secret')}`);
}

function tokenCommands(program: Command, cli: Cli): void {
  const token = program.command('token').description('who may do what');
  const create = leaf(token, 'create <name>', 'make a token; it is shown once')
    .addOption(new Option('-r, --role <role>', 'what it may do').choices([...roles]).makeOptionMandatory())
    .option('-g, --group <group>', 'a group of people it belongs to, for tasks (repeatable)', collect, [])
    .option('--expires-at <time>', 'ISO 8601')
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { role: (typeof roles)[number]; group: string[]; expiresAt?: string }>(
        self,
      );
      const made = await clientOf(cli, self).createToken({
        name,
        role: options.role,
        groups: options.group,
        ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
      });
      if (options.json) return printJson(cli, made);
      cli.out(made.token);
      return cli.error(dim(`It is not shown again. Revoke it by: baton token revoke ${made.id}`));
    });
  example(create, 'token create ann --role operator --group release-manager');
  const list = leaf(token, 'list', 'all tokens, without what they are').action(
    async (_options: unknown, self: Command) => {
      const { items } = await clientOf(cli, self).tokens({ limit: 500 });
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, items);
      const rows = items.map((item) => [
        item.id,
        item.name,
        item.role,
        item.groups.join(', '),
        ago(item.createdAt, Date.now()),
        item.revokedAt ? 'revoked' : (item.expiresAt ?? ''),
      ]);
      return cli.out(table(['token', 'name', 'role', 'groups', 'made', 'ends'], rows));
    },
  );
  example(list, 'token list');
  const revoke = leaf(token, 'revoke <id>', 'make a token useless').action(
    async (id: string, _options: unknown, self: Command) => {
      await clientOf(cli, self).revokeToken(id);
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, { id });
      return cli.out(`${paint('green', '✔')} revoked`);
    },
  );
  example(revoke, 'token revoke 0193…');
}

function settingsCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'settings', 'the settings of the cluster; --set changes them')
    .option('-s, --set <name=value>', 'change one; null sets it back to its default (repeatable)', collect, [])
    .action(async (_options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { set: string[] }>(self);
      const client = clientOf(cli, self);
      const changes = settingChanges(options.set);
      const { items } = options.set.length > 0 ? await client.changeSettings(changes) : await client.settings();
      if (options.json) return printJson(cli, items);
      const rows = items.map((item) => {
        const value = JSON.stringify(item.value);
        const changed = value !== JSON.stringify(item.default);
        return [item.name, changed ? bold(value) : value, JSON.stringify(item.default), item.meaning];
      });
      return cli.out(table(['setting', 'value', 'default', 'meaning'], rows));
    });
  example(command, 'settings', 'settings --set quarantine.deaths=5');
}

function settingChanges(pairs: readonly string[]): SettingChanges {
  const result = settingChangesSchema.safeParse(assignments(pairs, (_, text) => jsonOrText(text)));
  if (result.success) return result.data;
  throw wrongUse(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
