import type { DefinitionStore } from '@baton/catalogue';
import {
  type ChildToSpawn,
  type CompiledDefinition,
  checkInputs,
  compile,
  ExpressionError,
  type Json,
  type OperatorDescriptor,
  type OperatorError,
  type ProcessEventData,
} from '@baton/process';
import type { DefinitionSourcePort } from '../definitions/definition.cache.js';
import type { Definitions } from '../executor.ports.js';

type ChildRequest = Awaited<ReturnType<Definitions['requestChild']>>;

/** Definitions of the catalogue, as executors need them: compiled with the operators that are loaded here. */
export class CatalogueDefinitions implements DefinitionSourcePort {
  constructor(
    private readonly store: Pick<DefinitionStore, 'find' | 'findPublishedBy'>,
    private readonly operators: readonly OperatorDescriptor[],
    private readonly now: () => number,
  ) {}

  async text(name: string, version: number): Promise<{ text: string; digest: string } | null> {
    return this.store.find(name, version);
  }

  compile(text: string, version: number): CompiledDefinition | { faults: string[] } {
    const result = compile(text, { version, operators: this.operators });
    if ('definition' in result) return result.definition;
    return { faults: result.faults.map((fault) => `${fault.line}:${fault.column} ${fault.message} ${fault.remedy}`) };
  }

  /** The request by which a child begins. What cannot be is a failure of the operator, with its remedy. */
  async requestChild(
    child: ChildToSpawn,
    parent: { name: string; version: number },
    load: (name: string, version: number) => Promise<CompiledDefinition | null>,
  ): Promise<ChildRequest> {
    const found = await this.resolve(child, parent);
    if (found === null) return refused('no-definition', `There is no ${versionText(child)} of ${child.definition}.`);
    const definition = await load(found.name, found.version);
    if (definition === null)
      return refused('no-definition', `This executor does not understand ${found.name} version ${found.version}.`);
    const checked = checkInputs(definition, child.inputs);
    if ('errors' in checked) {
      const faults = checked.errors.map(({ path, message }) => `${path} ${message}`).join('; ');
      return refused('inputs', `The inputs do not fit ${found.name}: ${faults}`);
    }
    try {
      return { data: this.requested(child, definition, checked.inputs) };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return refused('expression', `"${error.source}" of ${found.name} cannot be evaluated: ${error.message}`);
    }
  }

  private async resolve(child: ChildToSpawn, parent: { name: string; version: number }) {
    if (typeof child.version === 'number') return this.store.find(child.definition, child.version);
    if (child.version === 'latest') return this.store.find(child.definition);
    const published = (await this.store.find(parent.name, parent.version))?.publishedAt;
    const then = published === undefined ? null : await this.store.findPublishedBy(child.definition, published);
    // A child that was published only after its parent: the first that there is to run is the newest.
    return then ?? this.store.find(child.definition);
  }

  private requested(
    child: ChildToSpawn,
    definition: CompiledDefinition,
    inputs: ProcessEventData['ProcessRequested']['inputs'],
  ): ProcessEventData['ProcessRequested'] {
    const now = this.now();
    const { environment } = child.request;
    const scope = {
      inputs,
      ...(environment === null ? {} : { environment: { ...environment.variables, name: environment.name } }),
      operators: {},
      process: {
        id: child.id,
        title: '',
        requester: child.request.requester.id,
        status: 'requested',
        now: new Date(now).toISOString(),
      },
    };
    const { title, concurrency, timeout } = definition;
    return {
      ...child.request,
      definition: { name: definition.name, version: definition.version, digest: definition.digest },
      inputs,
      labels: { ...definition.labels, ...child.request.labels },
      ...(title && { title: textOf(title.evaluate(scope)) }),
      ...(concurrency && { concurrency: { ...concurrency, key: textOf(concurrency.key.evaluate(scope)) } }),
      ...(timeout !== undefined && { timeoutAt: new Date(now + timeout).toISOString() }),
    };
  }
}

function refused(code: string, message: string): { error: OperatorError } {
  return { error: { code, message } };
}

function versionText({ version }: ChildToSpawn): string {
  return typeof version === 'number' ? `version ${version}` : 'version';
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
