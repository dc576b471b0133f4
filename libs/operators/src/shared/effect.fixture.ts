import type { Json } from '@baton/process';
import { type EffectContext, NotBegun } from '../operator.port.js';

/** An effect's context as the executor gives it, for specs. `begun` counts the calls of begin(). */
export function effectContext(
  fields: Record<string, Json>,
  change: Partial<EffectContext> = {},
): EffectContext & { begun: number; abort(reason: unknown): void } {
  const controller = new AbortController();
  const context = {
    processId: 'c1-0190',
    path: 'a',
    attempt: 1,
    idempotencyKey: 'key-1',
    fields,
    environment: null,
    connection: async (name: string): Promise<{ type: string; url: string }> => {
      throw new Error(`No connection ${name}`);
    },
    signal: controller.signal,
    leaseMs: 3000,
    begun: 0,
    abort: (reason: unknown) => controller.abort(reason),
    begin(): void {
      if (controller.signal.aborted) throw new NotBegun('aborted');
      context.begun += 1;
    },
    ...change,
  };
  return context;
}
