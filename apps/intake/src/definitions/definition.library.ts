import { type DefinitionStore, type DefinitionVersion, fullName } from '@baton/catalogue';
import { type FieldError, type JsonRecord, nearestName, type Problem, problem } from '@baton/contracts';
import {
  type CompiledDefinition,
  type CompileResult,
  type DefinitionFault,
  type KafkaUse,
  kafkaUses,
} from '@baton/process';
import { tooDeepAt } from '../http/json.depth.js';
import { refuse } from '../http/problem.error.js';
import { storableText } from '../http/storable.text.js';

export interface DefinitionCompiler {
  compile(text: string, version: number): CompileResult;
}
export interface PublishResult {
  name: string;
  version: number;
  digest: string;
  created: boolean;
  warnings: FieldError[];
}
/** What is kept beside a version's text for those who ask for it. */
interface Summary extends JsonRecord {
  inputs: JsonRecord;
  requiredInputs: string[];
}
export type FoundDefinition = Omit<DefinitionVersion, 'summary'> & {
  summary: Summary & { environments?: string[] };
};

/** What becomes of a definition that needs Kafka. */
export interface KafkaOfDefinitions {
  isThere: boolean;
  /** From now on the records of these topics are taken in. */
  watch(topics: readonly { topic: string; keepMs: number | null }[]): Promise<void>;
}
const noKafka: KafkaOfDefinitions = { isThere: false, watch: async () => undefined };

const largestDefinition = 1024 * 1024;
const mostCompiled = 200;

/** Definitions as intake needs them: checked before they are published, compiled once before they are asked for. */
export class DefinitionLibrary {
  readonly #compiled = new Map<string, CompiledDefinition>();
  readonly #asked = new Map<string, Promise<DefinitionVersion | null>>();

  constructor(
    private readonly store: DefinitionStore,
    private readonly compiler: DefinitionCompiler,
    private readonly kafka: KafkaOfDefinitions = noKafka,
  ) {}

  async publish(text: string, by: string): Promise<PublishResult> {
    const storable = this.#readable(text);
    const result = this.compiler.compile(storable, 0);
    if ('faults' in result) throw faultsProblem(result.faults);
    const { definition, warnings } = result;
    const { digest } = definition;
    const name = fullName(definition.name);
    const summary = summaryOf(definition);
    const uses = kafkaUses(definition);
    // Before it can be asked for: no record that its processes wait for comes earlier than its topic is read.
    await this.kafka.watch(
      uses.flatMap(({ topic, keepMs = null }) => (topic === undefined ? [] : [{ topic, keepMs }])),
    );
    const published = await this.store.publish({ name, text: storable, digest, summary, by });
    return { name, ...published, warnings: [...warnings.map(fieldErrorOf), ...this.#withoutKafka(uses)] };
  }

  #withoutKafka(uses: readonly KafkaUse[]): FieldError[] {
    if (this.kafka.isThere) return [];
    return uses
      .filter(({ ofCluster }) => ofCluster)
      .map(({ path, type }) => ({
        path,
        message:
          type === 'publish'
            ? 'No Kafka is configured here: this publish will fail with no-kafka.'
            : 'No Kafka is configured here: no record will come to this receive.',
        remedy: 'Set BATON_BUS=kafka and KAFKA_BROKERS, or start with --kafka.',
      }));
  }

  async find(name: string, version?: number): Promise<FoundDefinition | { unknown: Problem }> {
    const found = await this.store.find(name, version);
    if (found) return found as FoundDefinition;
    return { unknown: await this.#unknown(fullName(name), version) };
  }

  /** The version asked for, or the newest, ready to check a request against. */
  async compiled(name: string, version?: number): Promise<CompiledDefinition | { unknown: Problem }> {
    const found = await this.#lookUp(name, version);
    if (!found) return { unknown: await this.#unknown(fullName(name), version) };
    const key = `${found.name}@${found.version}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const result = this.compiler.compile(found.text, found.version);
    if ('faults' in result) {
      const detail = `${key} was published by a release or with operators that this intake does not understand`;
      return { unknown: problem('unknown-definition', detail, { remedy: 'publish it again, or update intake' }) };
    }
    const oldest = this.#compiled.keys().next();
    if (this.#compiled.size >= mostCompiled && !oldest.done) this.#compiled.delete(oldest.value);
    this.#compiled.set(key, result.definition);
    return result.definition;
  }

  /**
   * Asked of the store each time, so that what was published before is seen. All that ask in one step share a question
   * that is sent at its end: an array of requests costs one look-up, not a thousand.
   */
  #lookUp(name: string, version?: number): Promise<DefinitionVersion | null> {
    const key = `${fullName(name)}@${version ?? ''}`;
    let answer = this.#asked.get(key);
    if (!answer) {
      answer = Promise.resolve().then(() => {
        this.#asked.delete(key);
        return this.store.find(name, version);
      });
      this.#asked.set(key, answer);
    }
    return answer;
  }

  /** Its size, depth and characters, before a parser sees it. */
  #readable(text: string): string {
    const size = Buffer.byteLength(text);
    if (size > largestDefinition) {
      throw refuse('too-large', `the definition has ${size} bytes; 1 MiB (${largestDefinition}) are allowed`, {
        remedy: 'split it: a `process` operator runs another definition',
      });
    }
    if (text.trim() === '') {
      throw refuse('bad-request', 'the body is empty', { remedy: 'send one definition, in YAML or JSON' });
    }
    if (text.trimStart().startsWith('{') && tooDeepAt(text, 64) >= 0) {
      throw refuse('bad-request', 'the definition nests deeper than 64 levels', { remedy: 'flatten it' });
    }
    return storableText(text);
  }

  async #unknown(name: string, version: number | undefined): Promise<Problem> {
    const newest = version === undefined ? null : await this.store.find(name);
    if (newest) {
      return problem('unknown-definition', `${name} has no version ${version}`, {
        remedy: `leave the version out, or take one from 1 to ${newest.version}`,
        errors: [{ path: '/version', message: `the newest is ${newest.version}` }],
      });
    }
    const known = await this.store.names(50);
    const near = nearestName(name, known);
    return problem('unknown-definition', `there is no definition ${name}`, {
      remedy: near ? `did you mean ${near}?` : 'publish it first: POST /v1/definitions',
      errors: [{ path: '/definition', message: 'is not known', ...(near ? { remedy: `did you mean ${near}?` } : {}) }],
      known,
    });
  }
}

function summaryOf(definition: CompiledDefinition): Summary {
  const { inputs, requiredInputs, environments } = definition;
  return { inputs, requiredInputs, ...(environments ? { environments } : {}) };
}

function faultsProblem(faults: readonly DefinitionFault[]) {
  const [first] = faults;
  const rest = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const place = first ? `line ${first.line}, column ${first.column}: ${first.message}` : '';
  return refuse('definition-faults', `${place}${rest}`, { errors: faults.map(fieldErrorOf) });
}

function fieldErrorOf(fault: DefinitionFault): FieldError {
  const { path, line, column, message, remedy } = fault;
  return { path, line, column, message, remedy };
}
