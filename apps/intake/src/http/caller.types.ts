import type { Principal } from '@baton/security';

/** Who calls, and from where. */
export interface Caller extends Principal {
  address: string | null;
  idempotencyKey: string | null;
  /** W3C trace context, valid or not there. */
  traceparent: string | null;
  tracestate?: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}
