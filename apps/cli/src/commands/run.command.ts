import type { BatonClient } from '@baton/client';
import type { JsonValue } from '@baton/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { CommandEnd, exitCodes } from '../exit-codes.js';
import { assignments, collect, jsonOrText, readMap } from '../files.js';
import { leaf } from '../leaf.js';
import { follow } from '../live-process.js';

interface RunOptions extends CommonOptions {
  version?: number;
  environment?: string;
  input: string[];
  inputs?: string;
  label: string[];
  key?: string;
  priority?: number;
  startAt?: string;
  wait?: boolean;
}

export function runCommand(program: Command, cli: Cli): void {
  const command = leaf(program, 'run <definition>', 'ask for a process')
    .option('--version <n>', 'this version instead of the newest', whole)
    .option('-e, --environment <name>', 'where it acts')
    .option(
      '-i, --input <name=value>',
      'an input; JSON, or text where the definition takes text (repeatable)',
      collect,
      [],
    )
    .option('--inputs <file>', 'inputs from a YAML or JSON file')
    .option('-l, --label <name=value>', 'a label (repeatable)', collect, [])
    .option('--key <key>', 'idempotency key: the same key never makes a second process')
    .addOption(new Option('--priority <n>', '0 to 9, higher first').argParser(whole))
    .option('--start-at <time>', 'not before this time')
    .option('-w, --wait', 'show it until it has ended; 1 when it failed')
    .action(async (definition: string, _options: unknown, self: Command) => {
      await run(cli, definition, optionsOf<RunOptions>(self), clientOf(cli, self));
    });
  example(command, 'run web/release -e staging -i version=v1.2.0 -i \'hosts=["a","b"]\' --wait');
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

async function run(cli: Cli, definition: string, options: RunOptions, client: BatonClient): Promise<void> {
  const accepted = await client.request(
    {
      definition,
      inputs: await inputsOf(client, definition, options),
      labels: assignments(options.label, (_, text) => text),
      ...(options.version === undefined ? {} : { version: options.version }),
      ...(options.environment === undefined ? {} : { environment: options.environment }),
      ...(options.priority === undefined ? {} : { priority: options.priority }),
      ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
    },
    options.key === undefined ? {} : { idempotencyKey: options.key },
  );
  if (!options.wait) {
    if (options.json) printJson(cli, accepted);
    else cli.out(accepted.id);
    return;
  }
  const ended = options.json ? await client.waitForEnd(accepted.id) : await follow(cli, client, accepted.id);
  if (options.json) printJson(cli, ended);
  if (ended.status !== 'completed') throw new CommandEnd(exitCodes.failed);
}

/** Text stays text where the definition takes text: `-i version=1` is "1" there, and 1 where it takes a number. */
async function inputsOf(client: BatonClient, name: string, options: RunOptions): Promise<Record<string, JsonValue>> {
  const fromFile = options.inputs === undefined ? {} : readMap(options.inputs);
  if (options.input.length === 0) return fromFile;
  const { inputs } = await client.definition(name, options.version);
  const given = assignments(options.input, (input, text) => (takesText(inputs[input]) ? text : jsonOrText(text)));
  return { ...fromFile, ...given };
}

function takesText(schema: JsonValue | undefined): boolean {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) && schema['type'] === 'string';
}
