import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { Path } from '../definition/definition-text.js';
import { sealedText } from '../expressions/secret-reference.js';
import type { Json, JsonObject } from '../json.types.js';
import type { FaultList } from './fault-list.js';
import { isMap } from './links.js';

/** Patterns of users run in linear time. The text must be unique per pattern: ajv uses it as its key. */
class LinearPattern {
  readonly #pattern: RE2JS;
  constructor(private readonly source: string) {
    this.#pattern = RE2JS.compile(source);
  }
  test(text: string): boolean {
    return this.#pattern.matcher(text).find();
  }
  toString(): string {
    return `re2:${this.source}`;
  }
}

const linearPattern = Object.assign((source: string) => new LinearPattern(source), { code: 'linearPattern' });

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    allErrors: true,
    useDefaults: false,
    ownProperties: true,
    code: { regExp: linearPattern },
  });
  // ajv-formats is CommonJS: its default export is a namespace under some loaders and the function under others
  const addFormats = typeof ajvFormats === 'function' ? ajvFormats : Reflect.get(ajvFormats, 'default');
  addFormats(ajv);
  return ajv;
}

const ajv = newAjv();

export type { ValidateFunction };

/** Compiled anew each time: schemas with the same $id in two definitions must not meet. */
export function compileJsonSchema(schema: JsonObject): ValidateFunction {
  const validate = ajv.compile(schema);
  ajv.removeSchema(schema);
  return validate;
}

/** A schema of an input, a form, a payload: true when it can be used. Left alone when it holds templates. */
export function checkJsonSchema(faults: FaultList, schema: Json, path: Path): boolean {
  if (!isMap(schema) || JSON.stringify(schema).includes('${{')) return false;
  try {
    compileJsonSchema(schema);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    faults.error(
      path,
      `This is not a JSON Schema: ${message}.`,
      'Correct it; the dialect is 2020-12, patterns are RE2 (no look-around, no back references).',
    );
    return false;
  }
}

function describeSchemaError(error: ErrorObject): string {
  const { keyword, params, message = 'is not valid' } = error;
  switch (keyword) {
    case 'additionalProperties':
      return `has no field "${params['additionalProperty']}"`;
    case 'enum':
      return `must be one of ${JSON.stringify(params['allowedValues'])}`;
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'required':
      return `lacks the field "${params['missingProperty']}"`;
    default:
      return message;
  }
}

const validators = new WeakMap<JsonObject, ValidateFunction>();

/** A value against a schema of a definition (an answer to a form, a payload): what does not fit, by path. */
export function checkAgainstSchema(schema: JsonObject, value: Json): { path: string; message: string }[] {
  const validate = validators.get(schema) ?? compileJsonSchema(schema);
  validators.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? [])
    .filter((error) => !isSealed(value, error.instancePath))
    .map((error) => ({
      path: pointerText(error.instancePath),
      message: describeSchemaError(error),
    }));
}

/** What is sealed is not looked into: it may stand for anything. From outside no sealed value comes in. */
function isSealed(value: Json, pointer: string): boolean {
  let at: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    if (at !== undefined && sealedText(at) !== undefined) return true;
    if (typeof at !== 'object' || at === null) return false;
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    at = Object.hasOwn(at, name) ? (Reflect.get(at, name) as Json) : undefined;
  }
  return at !== undefined && sealedText(at) !== undefined;
}

/** `/hosts/0` as `hosts[0]`. */
function pointerText(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((text, part) => (/^\d+$/.test(part) ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '');
}
