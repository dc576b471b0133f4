import type { Path } from '../definition/definition-text.js';
import { isReservedName, type Read } from '../expressions/references.js';
import type { Fact } from './certainty.js';
import type { FaultList } from './fault-list.js';
import type { Place, ScopeView } from './place.js';
import { listed, suggest } from './suggestion.js';

/** What `operators.NAME` has, and what must have happened for it to be there. */
const operatorFields: Readonly<Record<string, Fact | 'always'>> = {
  output: 'completed',
  outcome: 'completed',
  answeredBy: 'completed',
  answeredAt: 'completed',
  error: 'failed',
  status: 'always', // `pending` before it runs
  attempt: 'always',
};
const processFields: ReadonlySet<string> = new Set(['id', 'title', 'requester', 'status', 'now']);
const contextFields: ReadonlySet<string> = new Set(['idempotencyKey', 'attempt']);

export class ReadChecker {
  constructor(
    private readonly faults: FaultList,
    private readonly inputs: readonly string[],
  ) {}

  check(reads: readonly Read[], place: Place, path: Path): void {
    for (const read of reads) this.#checkRead(read, place, path);
  }

  #checkRead(read: Read, place: Place, path: Path): void {
    if (read.root === 'secrets') this.#refuseSecret(path);
    else if (!place.roots.has(read.root)) this.#refuseRoot(read, place, path);
    else this.#checkVisible(read, place, path);
  }

  #checkVisible(read: Read, place: Place, path: Path): void {
    if (place.optionalRoots.has(read.root) && !read.tested && !isProven(read, [...place.proven], read.root))
      this.faults.error(path, `\`${read.root}\` may not be there.`, `Guard it: has(${read.root}.NAME) ? … : …`);
    if (read.root === 'inputs') this.#checkName(read, this.inputs, 'input', path);
    else if (read.root === 'process') this.#checkName(read, processFields, 'field of the process', path);
    else if (read.root === 'operator') this.#checkName(read, contextFields, 'field of `operator`', path);
    else if (read.root === 'operators') this.#checkOperator(read, place, path);
  }

  #refuseSecret(path: Path): void {
    this.faults.error(
      path,
      'A secret cannot be used here: it would be written into the log.',
      'Secrets may stand in the fields of an operator that are marked for them, such as the `headers` and `auth` of http, the `environment` of a script, or the `parameters` of sql.',
    );
  }

  #refuseRoot(read: Read, place: Place, path: Path): void {
    const { root } = read;
    const names = [...place.roots, 'true', 'false', 'null'];
    if (root === 'output' || root === 'previous' || root === 'iteration' || root === 'item' || root === 'index') {
      const where =
        root === 'item' || root === 'index'
          ? 'within `forEach`'
          : root === 'output'
            ? 'in `expect`, `outcomes`, `repeat` and `compensate`'
            : 'within `repeat`';
      this.faults.error(path, `\`${root}\` is known only ${where}.`, `Use one of: ${listed(place.roots)}.`);
      return;
    }
    const hyphen = this.#hyphenHint(root, place);
    this.faults.error(
      path,
      `There is nothing named "${root}" here.`,
      hyphen ?? suggest(root, names, `An expression here sees: ${listed(place.roots)}. Text stands in quotes.`),
    );
  }

  /** `operators.my-op.output` is a subtraction in CEL. */
  #hyphenHint(root: string, place: Place): string | undefined {
    const names = [...this.inputs, ...place.scopes.flatMap((view) => [...view.nodes.keys()])];
    const meant =
      names.find((name) => name.includes('-') && name.split('-').slice(1).join('-') === root) ??
      names.find((name) => name.endsWith(`-${root}`));
    return meant === undefined
      ? undefined
      : `A name with a hyphen is read with brackets: operators['${meant}'] or inputs['${meant}'].`;
  }

  #checkName(read: Read, names: Iterable<string>, what: string, path: Path): void {
    const [name] = read.path;
    const all = [...names];
    if (name === undefined || all.includes(name)) return;
    this.faults.error(
      path,
      `There is no ${what} "${name}".`,
      suggest(
        name,
        all,
        all.length > 0 ? `There is: ${listed(all)}.` : 'There are none. Declare it, or correct the name.',
      ),
    );
  }

  #checkOperator(read: Read, place: Place, path: Path): void {
    const [name, field] = read.path;
    if (name === undefined) {
      this.faults.error(path, '`operators` can only be read by a constant name.', 'Write operators.NAME.output.');
      return;
    }
    const view = place.scopes.find(({ nodes }) => nodes.has(name));
    if (!view) {
      const names = place.scopes.flatMap(({ nodes }) => [...nodes.keys()]);
      this.faults.error(
        path,
        `There is no operator "${name}" that can be read here.`,
        suggest(name, names, `There is: ${listed(names)}.`),
      );
      return;
    }
    this.#checkField(read, view, place, path, name, field);
  }

  #checkField(read: Read, view: ScopeView, place: Place, path: Path, name: string, field: string | undefined): void {
    const reference = `operators.${name}`;
    if (view.self === name) {
      this.faults.error(
        path,
        `"${name}" reads itself, but it has not run yet.`,
        'In `expect`, `outcomes` and `repeat` its output is called `output`.',
      );
      return;
    }
    if (field === undefined) {
      if (read.tested) return;
      this.faults.error(
        path,
        `\`${reference}\` is not a value.`,
        `Read one of its fields: ${listed(Object.keys(operatorFields))}.`,
      );
      return;
    }
    const fact = Object.hasOwn(operatorFields, field) ? operatorFields[field] : undefined;
    if (fact === undefined) {
      const meant = `${reference}.output.${field}`;
      const remedy = suggest(field, Object.keys(operatorFields), `What the operator gave is in its output: ${meant}.`);
      this.faults.error(path, `An operator has no field "${field}".`, remedy);
      return;
    }
    if (
      fact === 'always' ||
      read.tested ||
      view.certain(name, fact) ||
      isProven(read, place.proven, `${reference}.${field}`)
    )
      return;
    this.faults.error(
      path,
      `"${name}" may not have ${fact === 'failed' ? 'failed' : 'completed'} when \`${reference}.${field}\` is read.`,
      `Guard it: has(${reference}.${field}) ? … : …, or link to it (after: [${name}${fact === 'failed' ? '.failed' : ''}]).`,
    );
  }
}

/** `a.b` is proven by a test of `a.b` or of something within it; an output also by its status. */
function isProven(read: Read, proven: readonly string[], needed: string): boolean {
  return [...read.provenBy, ...proven].some(
    (one) => one === needed || one.startsWith(`${needed}.`) || alsoProves(one, needed),
  );
}

function alsoProves(proof: string, needed: string): boolean {
  const name = /^operators\.([^.]+)\.(output|outcome|error|answeredBy)/.exec(proof)?.[1];
  if (name === undefined) return false;
  const completed = !proof.startsWith(`operators.${name}.error`);
  if (needed === `operators.${name}.status` || needed === `operators.${name}.attempt`) return true;
  return (
    completed &&
    (needed === `operators.${name}.output` || needed === `operators.${name}.outcome`) &&
    !proof.includes('.error')
  );
}

export function isUsableLocalName(name: string): boolean {
  const roots = [
    'inputs',
    'environment',
    'operators',
    'process',
    'trigger',
    'operator',
    'output',
    'previous',
    'iteration',
    'index',
    'record',
    'secrets',
    'locals',
  ];
  return (
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !roots.includes(name) && !isReservedName(name) && !celKeywords.has(name)
  );
}

const celKeywords: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
  'cel',
  'prototype',
]);
