import type { EffectResult, Json, OperatorDescriptor } from '@baton/process';

/** An operator type of class effect: its descriptor and what it does. One file per type, one line of registration. */
export interface OperatorType {
  descriptor: OperatorDescriptor;
  run(context: EffectContext): Promise<EffectResult>;
}

export interface EffectContext {
  processId: string;
  path: string;
  attempt: number;
  idempotencyKey: string;
  /** Evaluated, and secrets resolved, in memory only. */
  fields: Record<string, Json>;
  environment: string | null;
  /** The environment's connection of that name, resolved. Throws UnknownConnection (a known failure). */
  connection(name: string): Promise<{ type: string; url: string }>;
  /** Aborts on cancel, timeout, or when the executor was fenced. */
  signal: AbortSignal;
  /** The attempt's own timeout in ms, if it has one. */
  timeout?: number;
  /** Lease of this executor in ms: sessions at a target set idle_in_transaction_session_timeout to it. */
  leaseMs: number;
  /**
   * Must be called in the very step that begins the effect (the first byte that leaves the house), with no await between.
   * Throws NotBegun when the lease has run out or the attempt was aborted: the effect must not begin.
   */
  begin(): void;
  /** W3C header values to send along: the attempt's own span, and what the caller's vendors gave. */
  traceparent?: string;
  tracestate?: string;
  /** Live output (script): shown, never part of the truth. */
  output?(channel: 'stdout' | 'stderr', chunk: string): void;
}

export class NotBegun extends Error {
  override name = 'NotBegun';
}
