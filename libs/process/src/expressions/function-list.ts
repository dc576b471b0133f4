import type { CelFunction } from './cel-function.types.js';
import { codecFunctions } from './codec.functions.js';
import { listFunctions } from './list.functions.js';
import { regexFunctions } from './regex.functions.js';
import { textFunctions } from './text.functions.js';

/** Every function that Baton adds to CEL's own. */
export const celFunctions: readonly CelFunction[] = [
  ...textFunctions,
  ...listFunctions,
  ...codecFunctions,
  ...regexFunctions,
];

/** What CEL itself brings and expressions may use; the checker refuses all others. */
const builtInFunctions: ReadonlySet<string> = new Set([
  'has',
  'size',
  'string',
  'int',
  'uint',
  'double',
  'bool',
  'bytes',
  'dyn',
  'type',
  'timestamp',
  'duration',
  'all',
  'exists',
  'exists_one',
  'map',
  'filter',
  'startsWith',
  'endsWith',
  'contains',
  'lowerAscii',
  'upperAscii',
  'trim',
  'indexOf',
  'lastIndexOf',
  'substring',
  'split',
  'join',
  'at',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
  'getFullYear',
  'getHours',
  'getMilliseconds',
  'getMinutes',
  'getMonth',
  'getSeconds',
]);

function functionName(signature: string): string {
  const name = signature.slice(0, signature.indexOf('('));
  return name.slice(name.lastIndexOf('.') + 1);
}

export const knownFunctions: ReadonlySet<string> = new Set([
  ...builtInFunctions,
  ...celFunctions.flatMap((definition) => definition.signatures.map(functionName)),
]);
