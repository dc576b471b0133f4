import { InDoubt } from '@baton/event-log';
import type {
  ArtifactReference,
  ChildToSpawn,
  CompiledDefinition,
  EffectOutcome,
  EventMetadata,
  Json,
  OperatorError,
  ProcessCommand,
  ProcessEvent,
  ProcessState,
} from '@baton/process';
import { crashPoint } from '../crash/crash-points.js';
import type { Appends, ExecutorPorts } from '../executor.ports.js';
import type { BackgroundWork } from './background.work.js';
import { type LargeOutput, refer } from './large.outputs.js';

interface DefinitionPin {
  name: string;
  version: number;
}

/** What a process ended as, for its parent. */
export interface ProcessEnd {
  parent: { id: string; path: string; attempt: number };
  status: 'completed' | 'failed' | 'cancelled';
  outputs?: Json;
  error?: OperatorError;
}

/**
 * What follows from one stream in others, after the commit (design 2, rule 5): children, commands, the end told to the parent.
 * Boundary: nothing here decides; each message is idempotent, so that repeating it after a crash changes nothing.
 *
 * F1. A child is created under its derived id; that it exists already is success.
 * F2. A parent is not decided about, and so not parked, before its children are created and its commands are told.
 * F3. The end reaches the parent as an event; only then is it marked as told.
 */
export class Aftermath {
  private readonly artifacts = new Map<string, Json>();

  constructor(
    private readonly ports: Pick<
      ExecutorPorts,
      'log' | 'commands' | 'definitions' | 'newId' | 'artifacts' | 'wakeUp' | 'logger' | 'traceparent'
    > & { appender: Appends },
    private readonly work: BackgroundWork,
    private readonly incarnation: string,
  ) {}

  /** F1, F2: resolves when all of them exist; a crash before is made good by the next load. */
  spawn(
    stream: string,
    definition: DefinitionPin,
    children: readonly ChildToSpawn[],
    trace: ProcessState['trace'],
  ): Promise<void> {
    return this.work.start(`spawn children of ${stream}`, async () => {
      crashPoint('before-spawn');
      const present = await this.ports.log.heads(children.map((child) => child.id));
      await Promise.all(
        children
          .filter((child) => !present.has(child.id))
          .map((child) => this.create(stream, definition, child, trace)),
      );
      crashPoint('after-spawn');
      this.ports.wakeUp.notify('queue');
    });
  }

  /** Resolves when it was said; refused is said as well. */
  tell(stream: string, command: ProcessCommand, causation: string): Promise<void> {
    return this.work.start(`tell ${command.kind} to ${stream}`, async () => {
      await this.ports.commands.handle(stream, command, causation);
    });
  }

  /** Started to wait for a message: it may be here already, and then nobody else tells that it fits. */
  started(events: readonly ProcessEvent[]): void {
    for (const event of events)
      if (event.type === 'OperatorStarted' && event.data.waitsFor?.kind === 'message')
        this.ports.wakeUp.notify('message');
  }

  /** F3 */
  ended(stream: string, end: ProcessEnd | null): void {
    // Not 'queue': it frees at most a slot, and whoever frees that looks into the queue; half of all looks were for this.
    this.ports.wakeUp.notify('ended', stream);
    if (end === null) return;
    const { parent, ...rest } = end;
    void this.work.start(`tell the end of ${stream} to its parent`, async () => {
      const said = await this.ports.commands.handle(
        parent.id,
        { kind: 'endChild', child: stream, path: parent.path, attempt: parent.attempt, ...rest },
        stream,
      );
      crashPoint('after-tell-parent');
      // The parent is another release's, for now: the scan for untold children goes on with it.
      if (isConflict(said)) return;
      await this.ports.commands.markTold(stream);
    });
  }

  /** False, as nearly always: nothing is to be loaded, and nothing needs to be waited for. */
  readsArtifacts(definition: CompiledDefinition, outcomes: readonly EffectOutcome[]): boolean {
    return (
      definition.outputsRead.length > 0 ||
      outcomes.some(({ result }) => 'output' in result && isArtifact(result.output))
    );
  }

  /**
   * Large outputs that an expression reads, before decide asks for them: of what ended before, those that the definition
   * reads; of what ends now, all, for its own `expect`, `outcomes` and `repeat`, and for whatever begins after it.
   */
  async loadArtifacts(
    definition: CompiledDefinition,
    state: ProcessState,
    outcomes: readonly EffectOutcome[],
  ): Promise<void> {
    const needed = new Set(outcomes.flatMap(({ result }) => digestsOf('output' in result ? result.output : undefined)));
    if (definition.outputsRead.length > 0)
      for (const digest of artifactReferences(definition, state)) needed.add(digest);
    const missing = [...needed].filter((digest) => !this.artifacts.has(digest));
    if (this.artifacts.size + missing.length > 256)
      for (const digest of [...this.artifacts.keys()]) if (!needed.has(digest)) this.artifacts.delete(digest);
    for (const digest of missing) this.artifacts.set(digest, await this.ports.artifacts.load(digest));
  }

  /** Puts outputs away that are too long for an event; what they held is at hand for the expressions that read it. */
  async storeLarge(outputs: readonly LargeOutput[], state: ProcessState): Promise<void> {
    for (const output of outputs) {
      const stored = await this.ports.artifacts.put(Buffer.from(output.text), 'application/json');
      const { digest, value } = refer(output, stored, state);
      this.artifacts.set(digest, value);
    }
  }

  artifact(digest: string): Json | undefined {
    return this.artifacts.get(digest);
  }

  /** A child continues the trace of its parent, under the attempt that waits for it. */
  private traceOf(parent: string, child: ChildToSpawn, trace: ProcessState['trace']): EventMetadata {
    const { path, attempt } = child.request.parent;
    const traceparent = this.ports.traceparent?.({ id: parent, traceparent: trace.parent }, path, attempt);
    if (traceparent === undefined) return {};
    return { traceparent, ...(trace.state === null ? {} : { tracestate: trace.state }) };
  }

  private async create(
    parent: string,
    definition: DefinitionPin,
    child: ChildToSpawn,
    trace: ProcessState['trace'],
  ): Promise<void> {
    const request = await this.ports.definitions.requestChild(child, definition);
    if ('error' in request) {
      const { path, attempt } = child.request.parent;
      await this.ports.commands.handle(
        parent,
        { kind: 'endChild', child: child.id, path, attempt, status: 'failed', error: request.error },
        parent,
      );
      return;
    }
    const event: ProcessEvent = { type: 'ProcessRequested', data: request.data };
    const metadata = { executor: this.incarnation, causation: parent, ...this.traceOf(parent, child, trace) };
    try {
      // Refused means that it exists: the same child, created before (F1).
      await this.ports.appender.append({
        stream: child.id,
        expected: 'none',
        events: [{ id: this.ports.newId(), event, metadata }],
      });
    } catch (error) {
      if (!(error instanceof InDoubt)) throw error;
      throw new Error(`whether child ${child.id} was created is in doubt`);
    }
  }
}

function isConflict(said: unknown): boolean {
  if (typeof said !== 'object' || said === null || !('refusal' in said)) return false;
  const { refusal } = said;
  return typeof refusal === 'object' && refusal !== null && 'code' in refusal && refusal.code === 'conflict';
}

function artifactReferences(definition: CompiledDefinition, state: ProcessState): string[] {
  const digests: string[] = [];
  const read = new Set(definition.outputsRead.map((reference) => reference.path[0]));
  for (const [path, operator] of state.operators) {
    const name = path.split('/').at(-1)?.split(/[[#]/)[0];
    if (!read.has(name)) continue;
    digests.push(...digestsOf(operator.output));
  }
  return digests;
}

const digestsOf = (output: Json | undefined): string[] => (isArtifact(output) ? [output.$artifact.digest] : []);

export function isArtifact(value: unknown): value is ArtifactReference {
  return typeof value === 'object' && value !== null && '$artifact' in value;
}

/** Null: nobody waits for it, or it has not ended. */
export function endOf(state: ProcessState): ProcessEnd | null {
  if (state.parent === null || state.end === null) return null;
  const { id, path, attempt } = state.parent;
  return {
    parent: { id, path, attempt },
    status: state.end,
    ...(state.outputs !== undefined && { outputs: state.outputs }),
    ...(state.error !== undefined && { error: state.error }),
  };
}
