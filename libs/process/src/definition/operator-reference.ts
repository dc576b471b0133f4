import type { z } from 'zod';
import { celFunctions } from '../expressions/function-list.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';

/** docs/reference/operators.md: every operator type and its fields, from the descriptors. */
export function operatorReference(operators: Iterable<OperatorDescriptor>): string {
  const types = [...operators];
  return [
    '# Operator types',
    '',
    'Made from the code (`libs/process/src/operators`); a test fails when it is out of date. What any operator may have beside these fields: [language.md](language.md).',
    '',
    '| type | class | without `recovery` | what it does |',
    '| --- | --- | --- | --- |',
    ...types.map((one) => `| [\`${one.type}\`](#${one.type}) | ${one.class} | ${recoveryText(one)} | ${one.summary} |`),
    '',
    ...types.flatMap(section),
    '# Functions of expressions',
    '',
    'Beside what CEL itself has (`has`, `size`, `string`, `int`, `double`, `timestamp`, `duration`, `dyn`, `type`; of text `contains`, `startsWith`, `endsWith`, `trim`, `lowerAscii`, `upperAscii`, `indexOf`, `lastIndexOf`, `substring`, `split`; of lists `all`, `exists`, `exists_one`, `filter`, `map`, `join`; of times `getFullYear`, `getHours`, …):',
    '',
    '| function | gives | example |',
    '| --- | --- | --- |',
    ...celFunctions.map(
      ({ signatures, summary, example }) =>
        `| ${signatures.map((one) => `\`${one.replace('RegexNamespace', 'regex')}\``).join(', ')} | ${escaped(summary)} | \`${escaped(example)}\` |`,
    ),
    '',
  ].join('\n');
}

function recoveryText(descriptor: OperatorDescriptor): string {
  if (descriptor.class !== 'effect') return 'resumed, never in doubt';
  if (!descriptor.defaultRecovery) return 'must be stated';
  return descriptor.type === 'http'
    ? 'GET, HEAD, PUT, DELETE: rerun; others must state it'
    : 'rerun, unless `exactlyOnce: false`';
}

function section(descriptor: OperatorDescriptor): string[] {
  const fields = Object.entries(descriptor.fields.shape);
  const notes = [
    descriptor.defaultExpect ? `Fails unless \`${descriptor.defaultExpect}\`; \`expect\` replaces that.` : '',
    descriptor.secretFields.length > 0
      ? `Secrets may stand in ${descriptor.secretFields.map((one) => `\`${one}\``).join(', ')}.`
      : '',
  ].filter((note) => note !== '');
  return [
    `## ${descriptor.type}`,
    '',
    descriptor.summary,
    '',
    ...(fields.length === 0
      ? ['It has no fields of its own.', '']
      : [
          '| field | needed | meaning |',
          '| --- | --- | --- |',
          ...fields.map(([name, schema]) => fieldRow(name, schema)),
          '',
        ]),
    ...notes.flatMap((note) => [note, '']),
  ];
}

function fieldRow(name: string, schema: unknown): string {
  const field = schema as z.ZodType;
  const needed = field.safeParse(undefined).success ? '' : 'yes';
  return `| \`${name}\` | ${needed} | ${escaped(field.description ?? '')} |`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
