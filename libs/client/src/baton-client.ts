import {
  type AuditPage,
  type BusRepublish,
  type BusStatus,
  type CommandAccepted,
  type DeadLetter,
  type DeadLetterPage,
  type Definition,
  type DefinitionPage,
  type Environment,
  type EnvironmentBody,
  type EnvironmentPage,
  type ExecutorList,
  type FindingPage,
  type Incident,
  type IncidentPage,
  type IncidentResolution,
  type IncidentResolved,
  type JsonValue,
  type Message,
  type MessageAccepted,
  type Process,
  type ProcessEventItem,
  type ProcessEventPage,
  type ProcessItem,
  type ProcessMessage,
  type ProcessPage,
  type ProcessRequest,
  type PublishedDefinition,
  type RebuildStarted,
  type ReplayStarted,
  type Republish,
  type RequestAccepted,
  type RequestResult,
  type RestOperation,
  type RestOperationName,
  restOperations,
  type SettingChanges,
  type SettingList,
  type Task,
  type TaskDone,
  type TaskPage,
  type TokenCreated,
  type TokenPage,
  type TokenRequest,
  type Why,
} from '@baton/contracts';
import { HttpTransport, type TransportOptions } from './http-transport.js';
import { readServerSentEvents } from './server-sent-events.js';

export type ClientOptions = TransportOptions;
export interface PageOptions {
  after?: string;
  limit?: number;
}
export interface ProcessFilter extends PageOptions {
  status?: string | string[];
  definition?: string;
  labels?: Record<string, string>;
}
export interface CreateOptions {
  /** Made up when left out, so that a broken connection never makes a second process. */
  idempotencyKey?: string;
  traceparent?: string;
}
interface CallInput {
  params?: Record<string, string>;
  query?: Record<string, string | number | string[] | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Done twice is not done once: a lost answer is reported, not repeated. */
const notRepeatable: ReadonlySet<RestOperationName> = new Set<RestOperationName>([
  'createToken',
  'retryProcess',
  'answerTask',
  'resolveIncident',
]);

/** The REST API, typed. It waits for a server that is away, within its patience, and goes on. */
export class BatonClient {
  readonly #transport: HttpTransport;

  constructor(options: ClientOptions) {
    this.#transport = new HttpTransport(options);
  }

  // -- definitions
  publish(text: string): Promise<PublishedDefinition> {
    return this.#call('publishDefinition', { body: text });
  }
  definitions(page: PageOptions = {}): Promise<DefinitionPage> {
    return this.#call('listDefinitions', { query: { ...page } });
  }
  definition(name: string, version?: number): Promise<Definition> {
    return this.#call('getDefinition', { params: nameParts(name), query: { version } });
  }
  definitionVersions(name: string, page: PageOptions = {}): Promise<DefinitionPage> {
    return this.#call('listDefinitionVersions', { params: nameParts(name), query: { ...page } });
  }

  // -- requests
  request(request: ProcessRequest, options: CreateOptions = {}): Promise<RequestAccepted> {
    return this.#call('createRequests', { body: request, headers: creationHeaders(options) });
  }
  /** Up to 1,000 at once: what became of each, in order. */
  requestMany(requests: ProcessRequest[], options: CreateOptions = {}): Promise<RequestResult[]> {
    return this.#call('createRequests', { body: requests, headers: creationHeaders(options) });
  }

  // -- processes
  processes(filter: ProcessFilter = {}): Promise<ProcessPage> {
    const { status, labels, ...rest } = filter;
    const label = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const query = { ...rest, status: Array.isArray(status) ? status.join(',') : status, label };
    return this.#call('listProcesses', { query });
  }
  /** All pages, one process after the other. */
  async *allProcesses(filter: Omit<ProcessFilter, 'after'> = {}): AsyncGenerator<ProcessItem> {
    let after: string | undefined;
    do {
      const page = await this.processes({ ...filter, ...(after ? { after } : {}) });
      yield* page.items;
      after = page.next ?? undefined;
    } while (after);
  }
  process(id: string): Promise<Process> {
    return this.#call('getProcess', { params: { id } });
  }
  events(id: string, options: { after?: number; limit?: number } = {}): Promise<ProcessEventPage> {
    return this.#call('listProcessEvents', { params: { id }, query: { ...options } });
  }
  why(id: string): Promise<Why> {
    return this.#call('whyProcess', { params: { id } });
  }
  cancel(id: string, reason?: string): Promise<CommandAccepted> {
    return this.#call('cancelProcess', { params: { id }, body: { reason } });
  }
  pause(id: string, reason?: string): Promise<CommandAccepted> {
    return this.#call('pauseProcess', { params: { id }, body: { reason } });
  }
  resume(id: string, reason?: string): Promise<CommandAccepted> {
    return this.#call('resumeProcess', { params: { id }, body: { reason } });
  }
  retry(id: string, reason?: string): Promise<CommandAccepted> {
    return this.#call('retryProcess', { params: { id }, body: { reason } });
  }

  /**
   * Its events from `after` on, then live, over reconnects without a gap or a repetition.
   * Ends when the process has ended and all was told, or when the signal is aborted.
   */
  async *stream(id: string, options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<ProcessEventItem> {
    let last = options.after ?? 0;
    while (!options.signal?.aborted) {
      const response = await this.#send('streamProcess', {
        params: { id },
        headers: { accept: 'text/event-stream', 'last-event-id': String(last) },
        ...(options.signal ? { signal: options.signal } : {}),
      });
      if (!response.body || response.status === 204) return;
      try {
        for await (const message of readServerSentEvents(response.body)) {
          if (message.event === 'end') return;
          if (message.event !== 'message') continue;
          const event = JSON.parse(message.data) as ProcessEventItem;
          if (event.sequence <= last) continue;
          last = event.sequence;
          yield event;
        }
      } catch (error) {
        // A connection that broke is taken up again after what was read last; anything else is the caller's.
        if (options.signal?.aborted) return;
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  /** Waits until the process has ended. */
  async waitForEnd(id: string, signal?: AbortSignal): Promise<Process> {
    for (let last = 0; ; ) {
      for await (const event of this.stream(id, { after: last, ...(signal ? { signal } : {}) })) last = event.sequence;
      const process = await this.process(id);
      if (signal?.aborted || process.endedAt) return process;
    }
  }

  // -- messages
  sendToProcess(id: string, message: ProcessMessage, options: CreateOptions = {}): Promise<MessageAccepted> {
    return this.#call('sendProcessMessage', { params: { id }, body: message, headers: creationHeaders(options) });
  }
  sendMessage(message: Message, options: CreateOptions = {}): Promise<MessageAccepted> {
    return this.#call('sendMessage', { body: message, headers: creationHeaders(options) });
  }

  // -- tasks
  tasks(filter: PageOptions & { process?: string; mine?: boolean } = {}): Promise<TaskPage> {
    const { mine, ...rest } = filter;
    return this.#call('listTasks', { query: { ...rest, mine: mine === undefined ? undefined : String(mine) } });
  }
  task(id: string): Promise<Task> {
    return this.#call('getTask', { params: { id } });
  }
  answerTask(id: string, answer: JsonValue): Promise<TaskDone> {
    return this.#call('answerTask', { params: { id }, body: { answer } });
  }
  draftTask(id: string, draft: JsonValue): Promise<TaskDone> {
    return this.#call('draftTask', { params: { id }, body: { draft } });
  }
  claimTask(id: string): Promise<TaskDone> {
    return this.#call('claimTask', { params: { id }, body: {} });
  }
  releaseTask(id: string): Promise<TaskDone> {
    return this.#call('releaseTask', { params: { id }, body: {} });
  }
  delegateTask(id: string, to: string): Promise<TaskDone> {
    return this.#call('delegateTask', { params: { id }, body: { to } });
  }

  // -- incidents
  incidents(filter: PageOptions & { process?: string } = {}): Promise<IncidentPage> {
    return this.#call('listIncidents', { query: { ...filter } });
  }
  async *allIncidents(): AsyncGenerator<Incident> {
    let after: string | undefined;
    do {
      const page = await this.incidents(after ? { after } : {});
      yield* page.items;
      after = page.next ?? undefined;
    } while (after);
  }
  resolveIncident(id: string, resolution: IncidentResolution): Promise<IncidentResolved> {
    return this.#call('resolveIncident', { params: { id }, body: resolution });
  }

  // -- environments, tokens, settings
  environments(page: PageOptions = {}): Promise<EnvironmentPage> {
    return this.#call('listEnvironments', { query: { ...page } });
  }
  environment(name: string): Promise<Environment> {
    return this.#call('getEnvironment', { params: { name } });
  }
  setEnvironment(name: string, body: EnvironmentBody): Promise<Environment> {
    return this.#call('putEnvironment', { params: { name }, body });
  }
  createToken(request: TokenRequest): Promise<TokenCreated> {
    return this.#call('createToken', { body: request });
  }
  tokens(page: PageOptions = {}): Promise<TokenPage> {
    return this.#call('listTokens', { query: { ...page } });
  }
  async revokeToken(id: string): Promise<void> {
    await this.#send('revokeToken', { params: { id } });
  }
  settings(): Promise<SettingList> {
    return this.#call('getSettings', {});
  }
  changeSettings(changes: SettingChanges): Promise<SettingList> {
    return this.#call('patchSettings', { body: changes });
  }

  // -- the cluster
  executors(): Promise<ExecutorList> {
    return this.#call('listExecutors', {});
  }
  bus(): Promise<BusStatus> {
    return this.#call('getBus', {});
  }
  deadLetters(options: PageOptions & { subscriber?: string } = {}): Promise<DeadLetterPage> {
    return this.#call('listDeadLetters', { query: { ...options } });
  }
  deadLetter(id: string): Promise<DeadLetter> {
    return this.#call('getDeadLetter', { params: { id } });
  }
  replayDeadLetter(id: string): Promise<DeadLetter> {
    return this.#call('replayDeadLetter', { params: { id } });
  }
  replayDeadLetters(): Promise<ReplayStarted> {
    return this.#call('replayDeadLetters', {});
  }
  republish(range: Republish): Promise<BusRepublish> {
    return this.#call('republishEvents', { body: range });
  }
  republishing(id: string): Promise<BusRepublish> {
    return this.#call('getRepublish', { params: { id } });
  }
  rebuildLog(): Promise<RebuildStarted> {
    return this.#call('rebuildLog', {});
  }
  audit(filter: PageOptions & { subject?: string } = {}): Promise<AuditPage> {
    return this.#call('listAudit', { query: { ...filter } });
  }
  /** What the self-audit found. */
  findings(filter: PageOptions = {}): Promise<FindingPage> {
    return this.#call('listFindings', { query: { ...filter } });
  }
  /** Whether the server is ready to take work; false also when it is out of reach. */
  async ready(): Promise<boolean> {
    try {
      return (await fetch(new URL('/health/ready', this.#transport.url))).ok;
    } catch (error) {
      if (error instanceof TypeError) return false;
      throw error;
    }
  }

  async #call<T>(name: RestOperationName, input: CallInput): Promise<T> {
    const response = await this.#send(name, input);
    return (await response.json()) as T;
  }

  #send(name: RestOperationName, input: CallInput): Promise<Response> {
    const operation: RestOperation = restOperations[name];
    const headers = { ...input.headers };
    let body: string | undefined;
    if (typeof input.body === 'string') {
      body = input.body;
      headers['content-type'] = 'application/yaml';
    } else if (input.body !== undefined) {
      body = JSON.stringify(input.body);
      headers['content-type'] = 'application/json';
    }
    return this.#transport.send({
      method: operation.method,
      path: pathOf(operation.path, input),
      headers,
      ...(body === undefined ? {} : { body }),
      repeatable: !notRepeatable.has(name),
      ...(input.signal ? { signal: input.signal } : {}),
    });
  }
}

function creationHeaders(options: CreateOptions): Record<string, string> {
  return {
    'idempotency-key': options.idempotencyKey ?? crypto.randomUUID(),
    ...(options.traceparent ? { traceparent: options.traceparent } : {}),
  };
}

function nameParts(name: string): { namespace: string; name: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { namespace: 'default', name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

function pathOf(template: string, input: CallInput): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(input.params?.[name] ?? ''));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
