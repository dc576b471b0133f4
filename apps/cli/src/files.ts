import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { wrongUse } from './exit-codes.js';

/** A file as text; `-` is standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw wrongUse(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const record = z.record(z.string(), z.json());

/** A YAML or JSON file that holds a map. */
export function readMap(file: string): z.infer<typeof record> {
  let value: unknown;
  try {
    value = parse(readText(file));
  } catch (error) {
    throw error instanceof Error && error.name === 'YAMLParseError' ? wrongUse(`${file}: ${error.message}`) : error;
  }
  const result = record.safeParse(value ?? {});
  if (result.success) return result.data;
  throw wrongUse(`${file} must hold a map of names and values.`);
}

/** `{"go": true}` or plain text. */
export function jsonOrText(text: string): z.infer<ReturnType<typeof z.json>> {
  try {
    return z.json().parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

export function jsonArgument(text: string, what: string): z.infer<ReturnType<typeof z.json>> {
  try {
    return z.json().parse(JSON.parse(text));
  } catch (error) {
    throw wrongUse(
      `${what} is not JSON: ${error instanceof Error ? error.message : String(error)}. Quote it for the shell: '{"go": true}'.`,
    );
  }
}

/** `k=v` pairs; `read` makes the value. */
export function assignments<T>(pairs: readonly string[], read: (name: string, text: string) => T): Record<string, T> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw wrongUse(`"${pair}" is not NAME=VALUE.`);
      const name = pair.slice(0, equals);
      return [name, read(name, pair.slice(equals + 1))];
    }),
  );
}

export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
