import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { definitionSchema } from '../definition/definition.schema.js';
import { type DefinitionText, parseDefinition } from '../definition/definition-text.js';
import { unavailableDefinitionFields, unavailableRemedy } from '../definition/unavailable.js';
import type { Recovery } from '../events/process-event.types.js';
import { ExpressionEngine } from '../expressions/expression-engine.js';
import { textOf } from '../expressions/value-text.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import { operatorRegistry } from '../operators/operator-registry.js';
import { CompileContext } from './compile-context.js';
import { compileScope } from './compile-scope.js';
import type { CompiledDefinition, CompileResult } from './compiled.types.js';
import { FaultList } from './fault-list.js';
import { checkInputSchemas, inputNamesOf, requiredInputsOf } from './input-schemas.js';
import { isMap } from './links.js';
import { outermostPlace, requestPlace, withoutCertainty, withScope } from './place.js';
import { ReadChecker } from './read-check.js';
import { checkSchema } from './schema-check.js';
import { TypeChecker } from './type-check.js';

export interface CompileOptions {
  version: number;
  /** Operator types of the user's own, beside those that Baton brings. */
  operators?: readonly OperatorDescriptor[];
}

/** Checks a definition's text whole, and makes it ready to run. All faults are reported at once. */
export function compile(text: string, options: CompileOptions): CompileResult {
  const parsed = parseDefinition(text);
  if ('faults' in parsed)
    return { faults: parsed.faults.map((fault) => ({ ...fault, path: '', severity: 'error' as const })) };
  const faults = new FaultList(parsed);
  const definition = compileDefinition(
    parsed,
    faults,
    operatorRegistry(options.operators),
    options.version,
    digestOf(text),
  );
  const { errors } = faults;
  return errors.length > 0 ? { faults: [...errors, ...faults.warnings] } : { definition, warnings: faults.warnings };
}

/** The digest by which an unchanged text is known again. */
export function digestOf(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)));
}

/** `release` is `default/release`. */
export function fullName(name: string): string {
  return name.includes('/') ? name : `default/${name}`;
}

function compileDefinition(
  { value }: DefinitionText,
  faults: FaultList,
  registry: ReadonlyMap<string, OperatorDescriptor>,
  version: number,
  digest: string,
): CompiledDefinition {
  checkTopLevel(value, faults);
  const inputs = mapAt(value, 'inputs');
  checkInputSchemas(inputs, faults);
  const context = new CompileContext(
    faults,
    registry,
    defaultRecoveryOf(value),
    new ExpressionEngine(inputs),
    new TypeChecker(inputs, localNames(value)),
    new ReadChecker(faults, inputNamesOf(inputs)),
  );
  const main = compileScope(context, mapAt(value, 'operators'), ['operators'], outermostPlace());
  const atEnd = withScope(outermostPlace(), main.view);
  const last = compileScope(context, mapAt(value, 'finally'), ['finally'], withoutCertainty(atEnd));
  const outputs = value['outputs'] === undefined ? undefined : context.template(value['outputs'], atEnd, ['outputs']);
  for (const judge of context.atTheEnd) judge();
  return {
    name: fullName(typeof value['name'] === 'string' ? value['name'] : ''),
    version,
    digest,
    labels: Object.fromEntries(Object.entries(mapAt(value, 'labels')).map(([key, label]) => [key, textOf(label)])),
    inputs,
    requiredInputs: requiredInputsOf(inputs),
    onFailure: value['onFailure'] === 'drain' || value['onFailure'] === 'hold' ? value['onFailure'] : 'compensate',
    compensateOn: compensateOnOf(value['compensateOn']),
    operators: main.scope,
    finally: last.scope,
    ...optionalParts(context, value),
    ...(outputs ? { outputs } : {}),
    outputsRead: [...context.outputsRead.values()],
  };
}

function optionalParts(context: CompileContext, value: JsonObject) {
  const title = value['title'];
  const warnAfter = context.duration(value['warnAfter']);
  const timeout = context.duration(value['timeout']);
  const concurrency = concurrencyOf(context, value['concurrency']);
  return {
    ...(typeof title === 'string' ? { title: context.template(title, requestPlace(), ['title']) } : {}),
    ...(Array.isArray(value['environments']) ? { environments: value['environments'].map(String) } : {}),
    ...(concurrency ? { concurrency } : {}),
    ...(warnAfter === undefined ? {} : { warnAfter }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

function concurrencyOf(context: CompileContext, value: Json | undefined): CompiledDefinition['concurrency'] {
  if (!isMap(value)) return undefined;
  const { key, limit, onLimit } = value;
  return {
    key: context.template(key ?? '', requestPlace(), ['concurrency', 'key']),
    limit: typeof limit === 'number' ? limit : 1,
    onLimit: onLimit === 'reject' || onLimit === 'skip' || onLimit === 'cancelOldest' ? onLimit : 'queue',
  };
}

function checkTopLevel(value: JsonObject, faults: FaultList): void {
  const shown = { ...value };
  for (const field of unavailableDefinitionFields)
    if (shown[field] !== undefined) {
      faults.error([field], `\`${field}\` is not available in this version.`, unavailableRemedy, 'key');
      delete shown[field];
    }
  checkSchema(definitionSchema, shown, [], faults, { templates: false, what: 'A definition' });
  if (isMap(value['operators']) && Object.keys(value['operators']).length === 0)
    faults.error(['operators'], 'The definition has no operators.', 'Add at least one: NAME: { type: … }.', 'key');
}

function defaultRecoveryOf(value: JsonObject): Recovery | undefined {
  const recovery = mapAt(value, 'defaults')['recovery'];
  return recovery === 'rerun' || recovery === 'fail' || recovery === 'ask' ? recovery : undefined;
}

function compensateOnOf(value: Json | undefined): CompiledDefinition['compensateOn'] {
  const all = ['failed', 'cancelled', 'timeout'] as const;
  return Array.isArray(value) ? all.filter((end) => value.includes(end)) : [...all];
}

function mapAt(value: JsonObject, name: string): JsonObject {
  const found = Object.hasOwn(value, name) ? value[name] : undefined;
  return isMap(found) ? found : {};
}

/** Every `as` of the definition: the type checker declares them all at once; where one may be read is checked apart. */
function localNames(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(localNames);
  const loop = value['forEach'];
  const as = isMap(loop) && typeof loop['as'] === 'string' && /^[A-Za-z_]\w*$/.test(loop['as']) ? [loop['as']] : [];
  return [...as, ...Object.values(value).flatMap(localNames)];
}
