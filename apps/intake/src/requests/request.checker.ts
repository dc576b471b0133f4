import type { EnvironmentStore } from '@baton/catalogue';
import { type CheckedProcessRequest, type FieldError, nearestName, type Problem, problem } from '@baton/contracts';
import {
  type CompiledDefinition,
  ExpressionError,
  type Json,
  type JsonObject,
  type ProcessEventData,
} from '@baton/process';
import type { DefinitionLibrary } from '../definitions/definition.library.js';
import { summaryOf } from '../http/input.reader.js';

export type ProcessRequested = ProcessEventData['ProcessRequested'];
export type InputCheck = (
  definition: CompiledDefinition,
  inputs: JsonObject,
) => { inputs: JsonObject } | { errors: FieldError[] };
export interface Requester {
  id: string;
  groups: string[];
}

/**
 * Turns a request into the fact that begins a process, or says why not. All that the process needs later is in it:
 * the version that is pinned, inputs with their defaults, the environment's variables, its times and its keys.
 */
export class RequestChecker {
  constructor(
    private readonly definitions: DefinitionLibrary,
    private readonly environments: Pick<EnvironmentStore, 'find' | 'names'>,
    private readonly checkInputs: InputCheck,
    private readonly limits: { inputBytes(): number },
  ) {}

  /** `now`: ms by the database's clock. */
  async check(
    request: CheckedProcessRequest,
    id: string,
    requester: Requester,
    now: number,
  ): Promise<{ requested: ProcessRequested } | { problem: Problem }> {
    const definition = await this.definitions.compiled(request.definition, request.version);
    if ('unknown' in definition) return { problem: definition.unknown };
    const environment = await this.#environment(definition, request.environment);
    if (environment && 'problem' in environment) return environment;
    const size = Buffer.byteLength(JSON.stringify(request.inputs));
    const largest = this.limits.inputBytes();
    if (size > largest) {
      return {
        problem: problem('too-large', `the inputs have ${size} bytes; ${largest} are allowed`, {
          remedy: 'pass a reference to large data instead of the data',
          errors: [{ path: '/inputs', message: `${size} bytes` }],
        }),
      };
    }
    const checked = this.checkInputs(definition, request.inputs);
    if ('errors' in checked) {
      const { errors } = checked;
      return { problem: problem('invalid', summaryOf(errors), { errors }) };
    }
    return this.#requested(request, definition, environment, checked.inputs, id, requester, now);
  }

  #requested(
    request: CheckedProcessRequest,
    definition: CompiledDefinition,
    environment: ProcessRequested['environment'],
    inputs: JsonObject,
    id: string,
    requester: Requester,
    now: number,
  ): { requested: ProcessRequested } | { problem: Problem } {
    const startAt = request.startAt ? new Date(request.startAt).toISOString() : undefined;
    const begin = Math.max(now, startAt ? Date.parse(startAt) : 0);
    const scope = {
      inputs,
      ...(environment ? { environment: { name: environment.name, ...environment.variables } } : {}),
      operators: {},
      process: { id, title: '', requester: requester.id, status: 'requested', now: new Date(now).toISOString() },
    };
    try {
      const title = definition.title ? textOf(definition.title.evaluate(scope)) : undefined;
      const concurrency = definition.concurrency
        ? { ...definition.concurrency, key: textOf(definition.concurrency.key.evaluate(scope)) }
        : undefined;
      const { timeout } = definition;
      return {
        requested: {
          definition: { name: definition.name, version: definition.version, digest: definition.digest },
          ...(title === undefined ? {} : { title }),
          environment,
          inputs,
          priority: request.priority,
          ...(startAt === undefined ? {} : { startAt }),
          labels: { ...definition.labels, ...request.labels },
          requester,
          ...(concurrency ? { concurrency } : {}),
          ...(timeout === undefined ? {} : { timeoutAt: new Date(begin + timeout).toISOString() }),
        },
      };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const detail = `"${error.source}" of ${definition.name} cannot be evaluated with these inputs: ${error.message}`;
      return { problem: problem('invalid', detail, { remedy: 'change the inputs, or guard the expression' }) };
    }
  }

  async #environment(
    definition: CompiledDefinition,
    name: string | undefined,
  ): Promise<ProcessRequested['environment'] | { problem: Problem }> {
    const allowed = definition.environments;
    if (name === undefined) {
      if (!allowed || allowed.length === 0) return null;
      return refusedEnvironment(`${definition.name} runs in an environment, and the request names none`, allowed, name);
    }
    if (allowed && !allowed.includes(name)) {
      return refusedEnvironment(`${definition.name} does not run in the environment ${name}`, allowed, name);
    }
    const found = await this.environments.find(name);
    if (found) return { name: found.name, variables: found.variables };
    return refusedEnvironment(`there is no environment ${name}`, await this.environments.names(50), name);
  }
}

function refusedEnvironment(detail: string, known: readonly string[], given: string | undefined): { problem: Problem } {
  const near = given === undefined ? undefined : nearestName(given, known);
  const choice = known.length > 0 ? `take one of: ${known.join(', ')}` : 'make one: PUT /v1/environments/NAME';
  const remedy = near ? `did you mean ${near}?` : choice;
  const errors = [{ path: '/environment', message: given === undefined ? 'is missing' : 'does not fit', remedy }];
  return { problem: problem('unknown-environment', detail, { remedy, errors, known: [...known] }) };
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
