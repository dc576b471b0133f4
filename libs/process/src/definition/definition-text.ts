import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Json, JsonObject } from '../json.types.js';

export type Path = readonly (string | number)[];
interface Position {
  line: number; // from 1
  column: number; // from 1
}
/** A fault of the text itself: nothing else can be checked. */
export interface TextFault extends Position {
  message: string;
  remedy: string;
}

/** A definition's text as JSON, with the places where everything stands. */
export interface DefinitionText {
  value: JsonObject;
  /** Where the value at the path stands, or the nearest thing that stands there. `key`: the name before it. */
  locate(path: Path, part?: 'key' | 'value'): Position;
}

const maximumTextBytes = 1_048_576;
const maximumNodes = 400_000;
const maximumDepth = 64;

/** YAML 1.2 or JSON. Anchors and merge keys are followed; `x-` keys are left out. */
export function parseDefinition(text: string): DefinitionText | { faults: TextFault[] } {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > maximumTextBytes)
    return textFault(
      `The definition has ${bytes} bytes; at most ${maximumTextBytes} (1 MiB) are allowed.`,
      'Move parts of it into definitions of their own, and run them with `process` operators.',
    );
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, intAsBigInt: true, uniqueKeys: true });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0)
    return {
      faults: document.errors.map((error) => ({
        ...position(error.pos[0]),
        ...yamlFault(error.code, error.message),
      })),
    };
  const root = document.contents;
  if (!isMap(root)) return textFault('A definition is a map of fields.', 'Begin with `kind: Process` and `name: …`.');
  const resolve = anchorsOf(document);
  const reader = new NodeReader(resolve, position);
  const value = reader.read(root, 0);
  if (reader.faults.length > 0) return { faults: reader.faults };
  return {
    value: value as JsonObject,
    locate: (path, part = 'value') => position(offsetOf(root, path, part, resolve)),
  };
}

function textFault(message: string, remedy: string): { faults: TextFault[] } {
  return { faults: [{ line: 1, column: 1, message, remedy }] };
}

function yamlFault(code: string, message: string): { message: string; remedy: string } {
  const [first = message] = message.split('\n');
  const summary = first.replace(/ at line \d+, column \d+:?$/, '');
  if (code === 'DUPLICATE_KEY')
    return { message: 'The same name stands here twice.', remedy: 'Rename or remove one of the two.' };
  if (code === 'MULTIPLE_DOCS')
    return {
      message: 'There is more than one document in the file.',
      remedy: 'Put each definition into a file of its own.',
    };
  return { message: `This is not YAML: ${summary}.`, remedy: 'Check indentation, quotes, colons and brackets here.' };
}

type Resolve = (alias: Alias) => Node | undefined;

/** An alias means the nearest anchor of its name before it. One walk, where the library would take one per alias. */
function anchorsOf(document: Document): Resolve {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target) targets.set(node, target);
      } else if (node.anchor) anchors.set(node.anchor, node);
    },
  });
  return (alias) => targets.get(alias);
}

/** YAML nodes to JSON, counting what aliases unfold to, so that a small text cannot become a huge definition. */
class NodeReader {
  readonly faults: TextFault[] = [];
  #nodes = 0;

  constructor(
    private readonly resolve: Resolve,
    private readonly position: (offset: number) => Position,
  ) {}

  read(node: unknown, depth: number): Json {
    if (this.faults.length > 0 || !isNode(node)) return null;
    if (++this.#nodes > maximumNodes || depth > maximumDepth) return this.#refuseSize(node, depth);
    if (isAlias(node)) return this.#readAlias(node, depth);
    if (isMap(node)) return this.#readMap(node.items, depth);
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    return isScalar(node) ? this.#readScalar(node.value, node) : null;
  }

  #readAlias(alias: Alias, depth: number): Json {
    const target = this.resolve(alias);
    if (target) return this.read(target, depth + 1);
    return this.#refuse(
      alias,
      `There is no anchor &${alias.source} before this.`,
      'Write the anchor, or correct its name.',
    );
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], depth: number): Json {
    const merged: [string, Json][] = [];
    const own: [string, Json][] = [];
    for (const { key, value } of items) {
      if (isMergeKey(key)) merged.push(...this.#readMerge(value, depth));
      else if (!isScalar(key)) this.#refuseKey(key);
      else if (!String(key.value).startsWith('x-')) own.push([String(key.value), this.read(value, depth + 1)]);
    }
    return Object.fromEntries([...merged, ...own]);
  }

  #readMerge(value: unknown, depth: number): [string, Json][] {
    const sources = this.read(value, depth + 1);
    const maps = Array.isArray(sources) ? [...sources].reverse() : [sources];
    return maps.flatMap((map) => {
      if (typeof map === 'object' && map !== null && !Array.isArray(map)) return Object.entries(map);
      if (isNode(value))
        this.#refuse(value, '`<<` takes a map or a list of maps.', 'Merge an anchor of a map: `<<: *name`.');
      return [];
    });
  }

  #readScalar(value: unknown, node: Node): Json {
    if (typeof value === 'bigint') {
      if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
      return this.#refuse(
        node,
        `The integer ${value} is too large to be kept exactly.`,
        'Write it as text, in quotes.',
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value))
      return this.#refuse(
        node,
        `${value} is not a number that JSON knows.`,
        'Write a finite number, or text in quotes.',
      );
    if (typeof value === 'string') return this.#readText(value, node);
    if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
    return this.#refuse(
      node,
      'Such a value has no meaning here.',
      'Write text, a number, true, false, a list or a map.',
    );
  }

  #readText(value: string, node: Node): Json {
    if (value.includes('\0') || !value.isWellFormed())
      return this.#refuse(
        node,
        'The text contains a NUL character or half a surrogate pair.',
        'Remove it; it cannot be stored.',
      );
    return value;
  }

  #refuseKey(key: unknown): void {
    if (isNode(key)) this.#refuse(key, 'A name must be text.', 'Write a plain name before the colon.');
  }

  #refuseSize(node: Node, depth: number): Json {
    return depth > maximumDepth
      ? this.#refuse(
          node,
          `This is nested deeper than ${maximumDepth} levels, or an anchor contains itself.`,
          'Make it flatter.',
        )
      : this.#refuse(
          node,
          `With its aliases unfolded, the definition has more than ${maximumNodes} values.`,
          'Use fewer aliases of aliases; a loop over a list is `forEach`.',
        );
  }

  #refuse(node: Node, message: string, remedy: string): null {
    if (this.faults.length === 0) this.faults.push({ ...this.position(node.range?.[0] ?? 0), message, remedy });
    return null;
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && (key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<'));
}

/** Follows the path through the nodes as far as it goes. */
function offsetOf(root: Node, path: Path, part: 'key' | 'value', resolve: Resolve): number {
  let node: Node | undefined = root;
  let offset = root.range?.[0] ?? 0;
  for (const [index, name] of path.entries()) {
    while (isAlias(node)) node = resolve(node);
    const found: { key?: unknown; value: unknown } | undefined = isMap(node)
      ? findPair(node.items, String(name), resolve)
      : isSeq(node)
        ? { value: node.items[Number(name)] }
        : undefined;
    if (!found) return offset;
    const last = index === path.length - 1;
    const wanted = last && part === 'key' ? found.key : isEmpty(found.value) ? found.key : found.value;
    if (isNode(wanted)) offset = wanted.range?.[0] ?? offset;
    node = isNode(found.value) ? found.value : undefined;
    if (!node) return offset;
  }
  return offset;
}

function isEmpty(value: unknown): boolean {
  return !isNode(value) || (isScalar(value) && value.value === null && value.source === '');
}

function findPair(
  items: readonly { key: unknown; value: unknown }[],
  name: string,
  resolve: Resolve,
): { key: unknown; value: unknown } | undefined {
  const own = items.find(({ key }) => isScalar(key) && String(key.value) === name && !isMergeKey(key));
  if (own) return own;
  for (const { key, value } of items) {
    if (!isMergeKey(key)) continue;
    const sources = isSeq(value) ? value.items : [value];
    for (const source of sources) {
      const target = isAlias(source) ? resolve(source) : source;
      const found = isMap(target) ? findPair(target.items, name, resolve) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}
