import type { Command } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { readText } from '../files.js';
import { leaf } from '../leaf.js';
import { bold, dim, paint } from '../render/style.js';
import { table } from '../render/table.js';
import { ago } from '../render/time.js';

export function publishCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'publish <file...>', 'publish definitions; an unchanged text keeps its version').action(
    async (files: string[], _options: unknown, self: Command) => {
      const client = clientOf(cli, self);
      const published = [];
      for (const file of files) {
        const answer = await client.publish(readText(file));
        published.push(answer);
        if (optionsOf<CommonOptions>(self).json) continue;
        cli.out(`${paint('green', '✔')} ${bold(`${answer.name} v${answer.version}`)} ${dim(file)}`);
        for (const warning of answer.warnings ?? [])
          cli.out(
            `  ${paint('yellow', '!')} ${file}:${warning.line ?? 1}: ${warning.message} ${dim(warning.remedy ?? '')}`,
          );
      }
      if (optionsOf<CommonOptions>(self).json) printJson(cli, published.length === 1 ? published[0] : published);
    },
  );
  example(command, 'publish examples/rolling-release/process.yaml');
}

export function definitionCommands(program: Command, cli: Cli): void {
  const definition = program.command('definition').description('published definitions');
  const list = leaf(definition, 'list', 'the newest version of each').action(
    async (_options: unknown, self: Command) => {
      const { items } = await clientOf(cli, self).definitions({ limit: 500 });
      if (optionsOf<CommonOptions>(self).json) return printJson(cli, items);
      const rows = items.map((item) => [
        item.name,
        `v${item.version}`,
        ago(item.publishedAt, Date.now()),
        item.publishedBy,
      ]);
      return cli.out(table(['definition', 'version', 'published', 'by'], rows));
    },
  );
  example(list, 'definition list');
  const show = leaf(definition, 'show <name>', 'the text of one')
    .option('--version <n>', 'this version instead of the newest', Number)
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { version?: number }>(self);
      const found = await clientOf(cli, self).definition(name, options.version);
      if (options.json) return printJson(cli, found);
      return cli.out(found.text.trimEnd());
    });
  example(show, 'definition show web/release --version 3');
}
