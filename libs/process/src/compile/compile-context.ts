import type { Path } from '../definition/definition-text.js';
import { parseDuration } from '../definition/duration.js';
import type { Recovery } from '../events/process-event.types.js';
import { type Expression, ExpressionError, type Reference, type Template } from '../expressions/expression.types.js';
import type { ExpressionEngine, ParsedExpression } from '../expressions/expression-engine.js';
import { provenIf } from '../expressions/references.js';
import { parseTemplate, TemplateError } from '../expressions/template.js';
import type { Json } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import type { FaultList } from './fault-list.js';
import type { Place } from './place.js';
import type { ReadChecker } from './read-check.js';
import type { TypeChecker } from './type-check.js';

/** Stands where an expression has a fault: a definition with faults is never given out. */
const faulty = {
  source: '',
  reads: [],
  evaluate(): Json {
    throw new ExpressionError('', 'This expression has a fault.');
  },
};

/** What the compilation of one definition shares. */
export class CompileContext {
  readonly outputsRead = new Map<string, Reference>();
  /** Names of operators whose outcome some expression reads. */
  readonly outcomesRead = new Set<string>();
  /** What can be judged only when every expression has been seen. */
  readonly atTheEnd: (() => void)[] = [];
  operators = 0;

  constructor(
    readonly faults: FaultList,
    readonly registry: ReadonlyMap<string, OperatorDescriptor>,
    readonly defaultRecovery: Recovery | undefined,
    private readonly engine: ExpressionEngine,
    private readonly types: TypeChecker,
    private readonly reads: ReadChecker,
  ) {}

  /** A bare expression; `condition`: it must be true or false. */
  expression(value: Json | undefined, place: Place, path: Path, condition = true): Expression {
    if (typeof value === 'boolean') return this.#parse(String(value), place, path, condition);
    if (typeof value !== 'string') return faulty; // the schema has said so
    const braces = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(value)?.[1];
    if (braces === undefined) return this.#parse(value, place, path, condition);
    this.faults.error(
      path,
      'This field is an expression already; it takes no ${{ }}.',
      `Write it bare: ${braces.trim()}`,
    );
    return faulty;
  }

  #parse(source: string, place: Place, path: Path, condition: boolean): Expression {
    try {
      const expression = this.engine.parse(source);
      this.#checkReads(expression, place, path);
      this.#checkTypes(source, path, condition);
      return expression;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.#report(error, path);
      return faulty;
    }
  }

  /** What a bare condition proves when it holds. */
  provenBy(value: Json | undefined): string[] {
    if (typeof value !== 'string') return [];
    try {
      return provenIf(this.engine.parse(value).tree, true);
    } catch (error) {
      if (error instanceof ExpressionError) return []; // reported where the expression itself is compiled
      throw error;
    }
  }

  /** `secretAt` says for a path within the value whether a secret may stand there. */
  template(
    value: Json,
    place: Place,
    path: Path,
    secretAt: (within: readonly (string | number)[]) => boolean = () => false,
  ): Template {
    try {
      const template = parseTemplate(this.engine, value);
      for (const { path: within, expression } of template.expressions) {
        const isSecret = expression.reads.some(({ root }) => root === 'secrets');
        if (isSecret && secretAt(within)) continue;
        this.#checkReads(expression, place, [...path, ...within]);
        if (!isSecret) this.#checkTypes(expression.source, [...path, ...within], false);
      }
      return template;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.#report(error, [...path, ...error.path]);
      return { ...faulty, source: value };
    }
  }

  #checkReads(expression: ParsedExpression, place: Place, path: Path): void {
    this.reads.check(expression.reads, place, path);
    for (const read of expression.reads) {
      const subject = read.root === 'output' ? subjectOf(path) : undefined;
      if (subject !== undefined)
        this.outputsRead.set(`${subject}\noutput`, { root: 'operators', path: [subject, 'output'] });
      if (read.root !== 'operators') continue;
      if (read.path[1] === 'outcome') this.outcomesRead.add(read.path[0] ?? '');
      if (read.path[1] !== 'output') continue;
      const reference = { root: read.root, path: read.path };
      this.outputsRead.set(reference.path.join('\n'), reference);
    }
  }

  #checkTypes(source: string, path: Path, condition: boolean): void {
    const fault = this.types.check(source, condition);
    if (!fault) return;
    if (fault.message.startsWith('Unknown variable') || fault.message.startsWith('No such key')) return; // said by the check of reads
    this.#report(fault, path);
  }

  #report(error: ExpressionError, path: Path): void {
    const shown = error.source.length > 80 ? `${error.source.slice(0, 80)}…` : error.source;
    this.faults.error(path, `${error.message} (in \`${shown}\`)`, error.remedy);
  }

  duration(value: Json | undefined): number | undefined {
    return typeof value === 'string' ? parseDuration(value) : undefined; // the schema has refused what is none
  }
}

/** The operator whose undo or verification stands at this path: there `output` is what that operator came to. */
function subjectOf(path: Path): string | undefined {
  const at = path.findLastIndex((part) => part === 'compensate' || part === 'verify');
  const name = at > 0 ? path[at - 1] : undefined;
  return typeof name === 'string' ? name : undefined;
}
