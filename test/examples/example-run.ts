import { readFileSync } from 'node:fs';
import {
  type CompiledDefinition,
  checkInputs,
  checkInvariants,
  compile,
  type DecideContext,
  type Decision,
  decide,
  decideCommand,
  type EffectOutcome,
  type EffectResult,
  type EffectToBegin,
  evolve,
  type IncidentState,
  initialState,
  type Json,
  type JsonObject,
  type ProcessCommand,
  type ProcessEvent,
  type ProcessState,
  type RecordedEvent,
  recordFits,
  type WaitsFor,
} from '@baton/process';

const stream = 'c1-01890a5d-ac96-774b-bcce-b302099a8057';
const executor = 'executor-1';

/** What the world answers; whatever is not scripted succeeds. */
export interface Script {
  inputs: JsonObject;
  environment?: { name: string; variables: JsonObject };
  requester?: string;
  /** By operator path without item keys (`deploy`, `deploy/compensate`) or with them (`deploy[b]`). */
  effects?: Record<string, Answer>;
  /** By the task's path: who answers what; nothing: nobody answers. */
  answers?: Record<string, { by: string; answer: Json }[]>;
  /** Messages that come as soon as their receiver waits. */
  messages?: { name: string; key: string; payload: Json }[];
  /** Records of topics, each for the first that waits for it and that it fits. */
  records?: { topic: string; key: string; value: Json; headers?: Record<string, string> }[];
  children?: Record<string, { status: 'completed' | 'failed'; outputs?: Json }>;
  incidents?: (incident: IncidentState) => { action: 'rerun' | 'skip' | 'fail'; output?: Json };
  cancelAfter?: string;
}
type Answer = EffectResult | ((effect: EffectToBegin, call: number) => EffectResult);

export const answered = (output: Json): EffectResult => ({ status: 'completed', output });
export const status = (code: number, body: Json = null): EffectResult => answered({ status: code, headers: {}, body });
export const refused = (code: string): EffectResult => ({
  status: 'failed',
  error: { code, message: `${code} by script` },
});
export const unknown: EffectResult = { status: 'unknown', reason: 'its executor died' };

const successes: Record<string, Json> = {
  http: { status: 200, headers: {}, body: null },
  sql: { rows: [], rowCount: 1 },
  script: { exitCode: 0, stdout: '', stderr: '' },
  publish: { partition: 0, offset: 0 },
};

export function exampleWarnings(name: string): string[] {
  const result = compile(exampleText(name), { version: 1 });
  return 'faults' in result ? [] : result.warnings.map((one) => `${one.line}: ${one.message}`);
}

function exampleText(name: string): string {
  return readFileSync(new URL(`../../examples/${name}/process.yaml`, import.meta.url), 'utf8');
}

export function exampleDefinition(name: string): CompiledDefinition {
  const result = compile(exampleText(name), { version: 1 });
  if ('faults' in result)
    throw new Error(result.faults.map((one) => `${one.line}: ${one.path}: ${one.message}`).join('\n'));
  return result.definition;
}

/** One process of an example, driven in memory by the pure core to its end, with a clock that jumps. */
export class ExampleRun {
  readonly log: RecordedEvent[] = [];
  readonly state: ProcessState = initialState();
  /** Paths of the effects in the order in which they began. */
  readonly begun: string[] = [];
  readonly effects: EffectToBegin[] = [];
  readonly #definition: CompiledDefinition;
  readonly #calls = new Map<string, number>();
  readonly #outcomes: EffectOutcome[] = [];
  readonly #answersGiven = new Map<string, number>();
  readonly #taken = new Set<number>();
  #now = Date.parse('2026-11-23T22:00:00.000Z');

  constructor(
    example: string,
    private readonly script: Script,
  ) {
    this.#definition = exampleDefinition(example);
    const checked = checkInputs(this.#definition, script.inputs);
    if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
    this.#request(checked.inputs);
    for (let step = 0; this.state.end === null; step++) {
      if (step > 5_000) throw new Error(`It does not end:\n${this.#types().slice(-20).join('\n')}`);
      this.#step();
    }
    const broken = checkInvariants(this.log);
    if (broken.length > 0) throw new Error(broken.map((one) => one.message).join('\n'));
  }

  get end(): string {
    const last = this.log.at(-1);
    return last?.type.replace('Process', '').toLowerCase() ?? '';
  }

  get outputs(): Json {
    const last = this.log.findLast((event) => event.type === 'ProcessCompleted');
    return last?.type === 'ProcessCompleted' ? last.data.outputs : null;
  }

  get error(): string | undefined {
    const last = this.log.findLast((event) => event.type === 'ProcessFailed');
    return last?.type === 'ProcessFailed' ? last.data.error.code : undefined;
  }

  status(path: string): string {
    return this.state.operators.get(path)?.status ?? 'pending';
  }

  /** The effects that ended well, in their order, undoing included. */
  get done(): string[] {
    return this.log.flatMap((event) =>
      event.type === 'OperatorCompleted' && this.begun.includes(event.data.path) ? [event.data.path] : [],
    );
  }

  #request(inputs: JsonObject): void {
    const { name, version, digest } = this.#definition;
    this.#record({
      type: 'ProcessRequested',
      data: {
        definition: { name, version, digest },
        environment: this.script.environment ?? { name: 'test', variables: {} },
        inputs,
        priority: 5,
        labels: {},
        requester: { id: this.script.requester ?? 'ann', groups: [] },
        ...(this.#definition.timeout === undefined
          ? {}
          : { timeoutAt: new Date(this.#now + this.#definition.timeout).toISOString() }),
      },
    });
    this.#record({ type: 'ProcessScheduled', data: {} });
    this.#record({ type: 'ProcessStarted', data: { executor } });
  }

  #step(): void {
    if (this.state.owner === null) this.#record({ type: 'ProcessClaimed', data: { executor } });
    const decision = decide(this.#definition, this.state, this.#context(), this.#outcomes.splice(0));
    for (const event of decision.events) this.#record(event, false);
    for (const effect of decision.begin) this.#begin(effect);
    for (const child of decision.spawn)
      this.#endChild(child.id, child.request.parent.path, child.request.parent.attempt);
    if (this.state.end !== null || this.#outcomes.length > 0) return;
    if (this.#fromOutside()) return;
    this.#waitFor(decision);
  }

  #context(): DecideContext {
    return { now: this.#now, executor, isOver: () => false, isRunning: () => false };
  }

  #begin(effect: EffectToBegin): void {
    this.begun.push(effect.path);
    this.effects.push(effect);
    const plain = effect.path.replace(/\[[^\]]*\]|#\d+/g, '');
    const key = this.script.effects?.[effect.path] ? effect.path : plain;
    const call = (this.#calls.get(effect.path) ?? 0) + 1;
    this.#calls.set(effect.path, call);
    const scripted = this.script.effects?.[key];
    const result = typeof scripted === 'function' ? scripted(effect, call) : scripted;
    const at = new Date(this.#now).toISOString();
    this.#outcomes.push({
      path: effect.path,
      attempt: effect.attempt,
      result: result ?? answered(successes[effect.type] ?? null),
      startedAt: at,
      endedAt: at,
    });
  }

  #endChild(child: string, path: string, attempt: number): void {
    const { status, outputs } = this.script.children?.[path] ?? { status: 'completed', outputs: {} };
    const error = { code: 'failed', message: 'by script' };
    this.#command({
      kind: 'endChild',
      child,
      path,
      attempt,
      status,
      ...(status === 'failed' ? { error } : { outputs: outputs ?? null }),
    });
  }

  /** True: something came from outside. */
  #fromOutside(): boolean {
    for (const operator of this.state.operators.values()) {
      if (operator.status !== 'waiting' && operator.status !== 'retrying') continue;
      if (operator.task && this.#answer(operator.path, operator.task.id)) return true;
      const waits = operator.waitsFor;
      const message =
        waits?.kind === 'message' ? this.script.messages?.find((one) => one.name === waits.name) : undefined;
      if (message) return this.#command({ kind: 'receiveMessage', messageId: `${message.name}-1`, ...message });
      if (waits?.kind === 'topic' && this.#receive(operator.path, waits)) return true;
      if (operator.path === this.script.cancelAfter && this.state.cancel === null)
        return this.#command({ kind: 'cancel', by: { id: 'ann' }, reason: 'by script' });
    }
    const [incident] = this.state.incidents.values();
    const resolution = incident && this.script.incidents?.(incident);
    if (!incident || !resolution) return false;
    return this.#command({
      kind: 'resolveIncident',
      incidentId: incident.id,
      by: { id: 'bob' },
      reason: 'by script',
      ...resolution,
    });
  }

  #receive(path: string, { topic, key, match, schema }: Extract<WaitsFor, { kind: 'topic' }>): boolean {
    const conditions = { ...(match === undefined ? {} : { match }), ...(schema === undefined ? {} : { schema }) };
    const records = this.script.records ?? [];
    const at = records.findIndex(
      (one, offset) =>
        !this.#taken.has(offset) &&
        one.topic === topic &&
        (key === undefined || key === one.key) &&
        recordFits(conditions, { headers: {}, partition: 0, offset, timestamp: '', ...one }),
    );
    const record = records[at];
    if (record === undefined) return false;
    this.#taken.add(at);
    return this.#command({
      kind: 'receiveMessage',
      messageId: `${topic}/${at}`,
      name: topic,
      path,
      key: record.key,
      payload: record.value,
    });
  }

  #answer(path: string, taskId: string): boolean {
    const given = this.#answersGiven.get(path) ?? 0;
    const next = this.script.answers?.[path]?.[given];
    if (!next) return false;
    this.#answersGiven.set(path, given + 1);
    return this.#command({
      kind: 'answerTask',
      taskId,
      answer: next.answer,
      by: { id: next.by, groups: next.by.split('/') },
    });
  }

  #command(command: ProcessCommand): boolean {
    const result = decideCommand(this.state, command, this.#now);
    if ('refused' in result) throw new Error(`${command.kind} was refused: ${result.refused.reason}`);
    for (const event of result.events) this.#record(event);
    return true;
  }

  #waitFor(decision: Decision): void {
    const parked = this.log.findLast((event) => event.type === 'ProcessParked');
    const dueAt = this.state.owner === null && parked?.type === 'ProcessParked' ? parked.data.dueAt : null;
    const next = decision.wakeAt ?? (dueAt === null ? null : Date.parse(dueAt));
    if (next === null) throw new Error(`Nothing comes any more:\n${this.#types().slice(-20).join('\n')}`);
    this.#now = Math.max(this.#now, next);
  }

  #record(event: ProcessEvent, fold = true): void {
    const recorded: RecordedEvent = {
      ...event,
      id: `event-${this.log.length + 1}`,
      stream,
      sequence: this.log.length + 1,
      recordedAt: new Date(this.#now).toISOString(),
      schemaVersion: 1,
      logIncarnation: 1,
      metadata: {},
    };
    this.log.push(recorded);
    if (fold) evolve(this.state, recorded);
  }

  #types(): string[] {
    return this.log.map((event) => `${event.type} ${'path' in event.data ? event.data.path : ''}`);
  }
}
