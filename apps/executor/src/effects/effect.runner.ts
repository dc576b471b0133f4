import { type EffectContext, maskResult, NotBegun, type OperatorType } from '@baton/operators';
import {
  type ArtifactReference,
  type EffectOutcome,
  type EffectResult,
  type EffectToBegin,
  isoTime,
  type Json,
  type OperatorError,
} from '@baton/process';
import type { Masker } from '@baton/security';
import type { Clock } from '../clock/clock.port.js';
import type { BeginGuard, EffectHost, EffectProcess, Logger, Meter } from '../executor.ports.js';
import { longestData, makeStorable, withoutMarkers } from './output.limits.js';
import { type EffectSecrets, resolveSecrets, SecretsInUse, sealPaths } from './secret.fields.js';

export interface EffectRunnerPorts {
  clock: Clock;
  operators: { get(type: string): OperatorType | undefined };
  secrets: EffectSecrets;
  artifacts: { put(content: Uint8Array, mediaType: string): Promise<{ digest: string; size: number }> };
  output(process: string, path: string, attempt: number, channel: 'stdout' | 'stderr', chunk: string): void;
  logger: Logger;
  meter: Meter;
}

/** How long an aborted operator may take to say how it ended. */
const abortGrace = 5000;

/**
 * Runs one effect through its operator type, and makes a storable result of whatever happens.
 * Boundary: which attempt runs, and what follows from its result, is decided elsewhere.
 *
 * R1. It never rejects: what an operator throws before begin() is a known failure, after begin() an unknown outcome.
 * R2. begin() asks the guard in the very step; a refusal is `not-begun`, and so is an abort before it.
 * R3. The attempt's timeout runs from begin(); an operator that does not answer to its abort is unknown (or not begun).
 * R4. Secrets are resolved here, in memory; sensitive parts of the output are sealed before it leaves this class.
 */
export class EffectRunner implements EffectHost {
  constructor(
    private readonly ports: EffectRunnerPorts,
    private readonly settings: { leaseMs: number },
  ) {}

  async run(
    effect: EffectToBegin,
    process: EffectProcess,
    abort: AbortController,
    guard: BeginGuard,
  ): Promise<EffectOutcome> {
    const attempt = new Attempt(this.ports.clock, effect, abort, guard);
    const startedAt = process.now();
    const secrets = new SecretsInUse(this.ports.secrets);
    let result: EffectResult;
    try {
      const ended = await attempt.race(this.start(effect, process, attempt, secrets));
      result = await this.finish(effect, maskResult(ended, secrets.masker()));
    } catch (error) {
      const masker = secrets.masker();
      result = maskResult(this.fromThrown(error, attempt.hasBegun()), masker);
      if (result.status === 'unknown') this.tellOfThrow(error, effect, process, masker);
    } finally {
      attempt.end();
    }
    const endedAt = process.now();
    this.ports.meter.record('baton.operator.duration', (endedAt - startedAt) / 1000, {
      type: effect.type,
      outcome: result.status,
    });
    return {
      path: effect.path,
      attempt: effect.attempt,
      result,
      startedAt: isoTime(startedAt),
      endedAt: isoTime(endedAt),
    };
  }

  private async start(
    effect: EffectToBegin,
    process: EffectProcess,
    attempt: Attempt,
    secrets: SecretsInUse,
  ): Promise<EffectResult> {
    const type = this.ports.operators.get(effect.type);
    if (type === undefined) {
      const message = `this executor knows no operator of type ${effect.type}; load the module that has it (--operators)`;
      return { status: 'failed', error: { code: 'unknown-operator', message } };
    }
    const fields = await resolveSecrets(effect.fields, process.environment, secrets);
    const context: EffectContext = {
      processId: process.id,
      path: effect.path,
      attempt: effect.attempt,
      idempotencyKey: effect.idempotencyKey,
      fields,
      environment: process.environment,
      connection: (name) => secrets.connection(process.environment, name),
      signal: attempt.signal,
      ...(effect.timeout !== undefined && { timeout: effect.timeout }),
      leaseMs: this.settings.leaseMs,
      begin: () => attempt.begin(),
      ...(process.traceparent !== undefined && { traceparent: process.traceparent }),
      ...(process.tracestate !== undefined && { tracestate: process.tracestate }),
      output: (channel, chunk) => this.ports.output(process.id, effect.path, effect.attempt, channel, chunk),
    };
    return type.run(context);
  }

  private async finish(effect: EffectToBegin, result: EffectResult): Promise<EffectResult> {
    if (result.status === 'not-begun') return result;
    if (result.status === 'unknown') return { ...result, reason: String(makeStorable(result.reason)) };
    try {
      const output =
        'output' in result && result.output !== undefined ? await this.output(effect, result.output) : undefined;
      const stored = output === undefined ? {} : { output };
      if (result.status === 'completed') return { ...result, ...stored };
      return { ...result, error: storableError(result.error), ...stored };
    } catch (error) {
      // What the effect did is known to have happened; only its output cannot be kept.
      return { status: 'failed', error: { code: 'output', message: messageOf(error) } };
    }
  }

  private async output(effect: EffectToBegin, output: Json): Promise<Json> {
    const storable = sealPaths(withoutMarkers(makeStorable(output)), effect.sensitive, this.ports.secrets);
    const text = JSON.stringify(storable);
    if (Buffer.byteLength(text) <= longestData) return storable;
    const mediaType = 'application/json';
    const { digest, size } = await this.ports.artifacts.put(Buffer.from(text), mediaType);
    const reference: ArtifactReference = { $artifact: { digest, size, mediaType } };
    return { $artifact: { ...reference.$artifact } };
  }

  /** R1 */
  private fromThrown(error: unknown, begun: boolean): EffectResult {
    if (error instanceof NotBegun) return { status: 'not-begun', reason: error.message };
    const message = String(makeStorable(messageOf(error)));
    if (begun) return { status: 'unknown', reason: `the operator failed after it had begun: ${message}` };
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'operator';
    return { status: 'failed', error: { code, message } };
  }

  /** R4: also a stack may hold what was resolved. */
  private tellOfThrow(error: unknown, effect: EffectToBegin, process: EffectProcess, masker: Masker): void {
    const { path, attempt, type } = effect;
    const about = { process: process.id, path, attempt, type, executor: process.incarnation };
    this.ports.logger.error({ ...about, error: masker.text(stackOf(error)) }, 'an operator threw after it had begun');
  }
}

/** One attempt: its signal, its timeout, and whether it has begun. */
class Attempt {
  private begun = false;
  private ended = false;
  private cancelTimeout: () => void = () => undefined;
  private cancelGrace: () => void = () => undefined;
  private giveUp: (result: EffectResult) => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly effect: EffectToBegin,
    private readonly abort: AbortController,
    private readonly guard: BeginGuard,
  ) {
    abort.signal.addEventListener('abort', () => this.startGrace(), { once: true });
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  hasBegun(): boolean {
    return this.begun;
  }

  /** R2, R3 */
  begin(): void {
    if (this.signal.aborted) throw new NotBegun(`aborted before it began: ${String(this.signal.reason)}`);
    const refusal = this.guard();
    if (refusal !== null) throw new NotBegun(refusal);
    if (this.begun) return;
    this.begun = true;
    if (this.effect.timeout !== undefined)
      this.cancelTimeout = this.clock.after(this.effect.timeout, () => this.abort.abort('timeout'));
  }

  race(run: Promise<EffectResult>): Promise<EffectResult> {
    return new Promise((resolve, reject) => {
      this.giveUp = resolve;
      run.then(resolve, reject);
      if (this.signal.aborted) this.startGrace();
    });
  }

  end(): void {
    this.ended = true;
    this.cancelTimeout();
    this.cancelGrace();
  }

  private startGrace(): void {
    if (this.ended) return;
    const reason = String(this.signal.reason);
    this.cancelGrace();
    this.cancelGrace = this.clock.after(abortGrace, () => {
      this.giveUp(
        this.begun
          ? { status: 'unknown', reason: `aborted (${reason}), and the operator did not say how it ended` }
          : { status: 'not-begun', reason },
      );
    });
  }
}

function storableError(error: OperatorError): OperatorError {
  return {
    code: String(makeStorable(error.code)),
    message: String(makeStorable(error.message)),
    ...(error.details !== undefined && { details: makeStorable(error.details) }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
