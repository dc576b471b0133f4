import { type FieldError, type JsonValue, jsonPointer } from '@baton/contracts';
import { tooDeepAt } from './json.depth.js';
import { refuse } from './problem.error.js';
import { storable } from './storable.text.js';

declare global {
  interface JSON {
    /** With the source text of each number, as Node.js gives it. */
    parse(
      text: string,
      reviver?: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
  }
}

export const deepest = 64;

/** The text of a body; anything but UTF-8 is refused rather than stored as something else. */
export function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw refuse('bad-request', `the body is not UTF-8 text (${String(error)})`, {
      remedy: 'send it encoded as UTF-8',
    });
  }
}

/**
 * A JSON body as it may go into the log: its depth is limited before it is parsed, integers beyond 2^53 stay what they
 * are as strings, NUL and lone surrogates are written out. Names that would reach into an object's making are refused,
 * and so are the markers by which Baton's own data names secrets, sealed values and artifacts: nobody forges them.
 */
export function jsonOf(body: Uint8Array): JsonValue {
  const text = textOf(body);
  if (text.trim() === '') {
    throw refuse('bad-request', 'the body is empty', { remedy: 'send JSON' });
  }
  const tooDeep = tooDeepAt(text, deepest);
  if (tooDeep >= 0) {
    const errors: FieldError[] = [{ path: '', ...placeOf(text, tooDeep), message: `nests deeper than ${deepest}` }];
    throw refuse('bad-request', `the body nests deeper than ${deepest} levels`, {
      remedy: 'send flatter data',
      errors,
    });
  }
  const parsed = parse(text);
  // Any letter of a name may be escaped.
  if (/__proto__|\$secret|\$artifact|\\u00[2-7]/i.test(text)) refuseReservedNames(parsed, []);
  return /\\u(0000|d[89a-f])/i.test(text) ? storable(parsed) : parsed;
}

function parse(text: string): JsonValue {
  const exact = /\d{16}|\d[eE]\+?\d{3}/.test(text);
  try {
    return JSON.parse(text, exact ? keepExact : undefined) as JsonValue;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = /at position (\d+)/.exec(error.message)?.[1];
    const ended = /end of JSON input/.test(error.message);
    const place = at !== undefined ? placeOf(text, Number(at)) : ended ? placeOf(text, text.length) : {};
    const errors: FieldError[] = [{ path: '', ...place, message: error.message }];
    throw refuse('bad-request', `the body is not JSON: ${error.message}`, { remedy: 'send valid JSON', errors });
  }
}

/** JSON.parse rounds what does not fit into a double; the source text tells. */
function keepExact(this: unknown, key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const source = context.source ?? '';
  if (!Number.isFinite(value)) {
    const errors: FieldError[] = [{ path: jsonPointer([key]), message: `${source} is beyond what a number can hold` }];
    throw refuse('invalid', `the number ${source} ("${key}") cannot be kept`, {
      remedy: 'send it as a string',
      errors,
    });
  }
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;
}

function refuseReservedNames(value: JsonValue, path: string[]): void {
  if (value === null || typeof value !== 'object') return;
  for (const [key, part] of Object.entries(value)) {
    if (key === '__proto__') {
      const errors: FieldError[] = [{ path: jsonPointer([...path, key]), message: '"__proto__" is not a name here' }];
      throw refuse('bad-request', 'the body holds the name "__proto__"', { remedy: 'use another name', errors });
    }
    if (key === '$secret' || key === '$artifact') {
      const message = `"${key}" is a name of Baton's own data`;
      const errors: FieldError[] = [{ path: jsonPointer([...path, key]), message, remedy: 'use another name' }];
      throw refuse('invalid', `the body holds the name "${key}", which only Baton itself may set`, {
        remedy: 'use another name; secrets are read by ${{ secrets.NAME }} in the definition',
        errors,
      });
    }
    refuseReservedNames(part, [...path, key]);
  }
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}
