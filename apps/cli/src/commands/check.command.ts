import { compile, type DefinitionFault, type OperatorDescriptor } from '@baton/process';
import type { Command } from 'commander';
import { type Cli, example, printJson } from '../cli.js';
import { CommandEnd, exitCodes } from '../exit-codes.js';
import { collect, readText } from '../files.js';
import { loadOperators } from '../operators.module.js';
import { bold, dim, paint } from '../render/style.js';

interface CheckOptions {
  json?: boolean;
  operators: string[];
}

export function checkCommand(program: Command, cli: Cli): void {
  const command = program
    .command('check <file...>')
    .description('check definitions without a server: every fault with its line and a remedy')
    .option('--operators <module>', 'a module with operator types of your own (repeatable)', collect, [])
    .option('--json', 'answer in JSON')
    .action(async (files: string[], options: CheckOptions) => {
      const own = (await Promise.all(options.operators.map(loadOperators))).flat();
      const results = files.map((file) => checkFile(file, own));
      if (options.json) printJson(cli, results);
      else for (const result of results) report(cli, result);
      if (results.some(({ faults }) => faults.some(({ severity }) => severity === 'error')))
        throw new CommandEnd(exitCodes.wrongUse);
    });
  example(command, 'check examples/*/process.yaml');
}

interface CheckedFile {
  file: string;
  name: string | null;
  faults: DefinitionFault[];
}

function checkFile(file: string, operators: readonly OperatorDescriptor[]): CheckedFile {
  const result = compile(readText(file), { version: 1, operators });
  return 'faults' in result
    ? { file, name: null, faults: result.faults }
    : { file, name: result.definition.name, faults: result.warnings };
}

function report(cli: Cli, { file, name, faults }: CheckedFile): void {
  if (name !== null) cli.out(`${paint('green', '✔')} ${bold(file)} ${name}`);
  for (const fault of faults) {
    const look = fault.severity === 'error' ? 'red' : 'yellow';
    const place = fault.path === '' ? '' : `${fault.path}: `;
    cli.out(
      `${paint(look, fault.severity === 'error' ? '✘' : '!')} ${bold(`${file}:${fault.line}:${fault.column}`)} ${place}${fault.message}`,
    );
    cli.out(`    ${dim(fault.remedy)}`);
  }
}
