import type { Json, JsonObject } from '../json.types.js';
import type { CelValue, CelValueCache } from './cel-value.js';
import { toCel } from './cel-value.js';
import type { Reference } from './expression.types.js';

/**
 * Converts of the scope only what an expression reads, so that evaluating one costs nothing for the rest of a
 * process's state. A tree of names: where a read ends, the value is converted whole.
 */
interface Branch {
  whole: boolean;
  children: Map<string, Branch>;
}

/** How many levels under a name are made anew for each evaluation; what lies below never changes and is converted once. */
const levelsMadeAnew: Record<string, number> = { inputs: 1, environment: 1, operators: 2, process: 3 };

export class Projection {
  readonly #roots = new Map<string, Branch>();

  constructor(
    reads: readonly Reference[],
    private readonly cache: CelValueCache,
    private readonly inputSchemas: JsonObject,
  ) {
    for (const read of reads) this.#add(read);
  }

  #add(read: Reference): void {
    let branch = childOf(this.#roots, read.root);
    for (const name of read.path) branch = childOf(branch.children, name);
    branch.whole = true;
  }

  /** `rootOf` gives the scope's value under a name, or undefined. */
  apply(rootOf: (name: string) => Json | object | undefined): Record<string, CelValue> {
    const context: Record<string, CelValue> = Object.create(null);
    for (const [name, branch] of this.#roots) {
      const value = rootOf(name);
      if (value === undefined) continue;
      const schema = name === 'inputs' ? { type: 'object', properties: this.inputSchemas } : undefined;
      context[name] = this.#project(value, branch, schema, levelsMadeAnew[name] ?? 0);
    }
    return context;
  }

  #project(value: Json | object, branch: Branch, schema: JsonObject | undefined, fresh: number): CelValue {
    if (branch.whole || !isPlainObject(value)) return this.#convert(value, schema, fresh);
    const object: { [key: string]: CelValue } = {};
    const unusual = new Map<string, CelValue>();
    for (const [name, child] of branch.children) {
      if (!Object.hasOwn(value, name) || value[name] === undefined) continue;
      const field = this.#project(value[name], child, propertySchema(schema, name), fresh - 1);
      if (name in Object.prototype) unusual.set(name, field);
      else object[name] = field;
    }
    return unusual.size > 0 ? new Map([...Object.entries(object), ...unusual]) : object;
  }

  #convert(value: Json | object, schema: JsonObject | undefined, fresh: number): CelValue {
    const json = value as Json;
    return fresh > 0 ? toCel(json, schema) : this.cache.convert(json, schema);
  }
}

function childOf(branches: Map<string, Branch>, name: string): Branch {
  const known = branches.get(name);
  if (known) return known;
  const made: Branch = { whole: false, children: new Map() };
  branches.set(name, made);
  return made;
}

function isPlainObject(value: Json | object): value is Record<string, Json | object> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function propertySchema(schema: JsonObject | undefined, name: string): JsonObject | undefined {
  const properties = schema?.['properties'];
  if (!isPlainObject(properties ?? null) || !Object.hasOwn(properties as object, name)) return undefined;
  const property = (properties as JsonObject)[name];
  return isPlainObject(property ?? null) ? (property as JsonObject) : undefined;
}
