import type { CelFunction } from './cel-function.types.js';
import { fromCel } from './cel-value.js';
import { textOf } from './value-text.js';

export const textFunctions: readonly CelFunction[] = [
  {
    signatures: ['split(string, string): list<string>'],
    summary: 'the parts of the text between the separators',
    example: "split('a,b', ',')",
    handler: (text: string, separator: string) => text.split(separator),
  },
  {
    signatures: ['format(string, list): string', 'string.format(list): string'],
    summary:
      'the text with %s (anything), %d (an integer), %f (a number, %.2f with two digits), %x (hexadecimal) and %% filled in; %05d pads',
    example: "format('%s-%03d', [inputs.name, 7])",
    handler: format,
  },
];

const verb = /%(0?)(\d{0,2})(?:\.(\d{1,2}))?([a-zA-Z%])/g;

function format(pattern: string, values: unknown[]): string {
  let used = 0;
  const text = pattern.replace(
    verb,
    (whole, zero: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      if (used >= values.length) throw new RangeError(`format() has no value for ${whole}`);
      const value = values[used++];
      return formatValue(kind, value, precision).padStart(Number(width), zero ? '0' : ' ');
    },
  );
  if (used < values.length) throw new RangeError(`format() has ${values.length} values, but the text takes ${used}`);
  return text;
}

function formatValue(kind: string, value: unknown, precision: string | undefined): string {
  switch (kind) {
    case 's':
      return textOf(fromCel(value));
    case 'd':
      if (typeof value === 'bigint') return value.toString();
      throw new TypeError('format() needs an integer for %d');
    case 'x':
      if (typeof value === 'bigint') return value.toString(16);
      throw new TypeError('format() needs an integer for %x');
    case 'f':
      if (typeof value === 'bigint' || typeof value === 'number') return Number(value).toFixed(Number(precision ?? 6));
      throw new TypeError('format() needs a number for %f');
    default:
      throw new TypeError(`format() does not know %${kind}: it knows %s, %d, %f, %x and %%`);
  }
}
