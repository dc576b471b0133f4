import { type Problem, problem, type RestOperation, restOperations } from '@baton/contracts';
import type { Authentication, Principal } from '@baton/security';
import { mayCall } from '@baton/security';
import { formatTraceparent, parseTraceparent, parseTracestate } from '@baton/telemetry';
import type { Caller } from './caller.types.js';
import { problemOf } from './problem.filter.js';

export interface TokenVerifier {
  verify(token: string): Promise<Authentication>;
}

/** What is looked at of a request, and how it is refused: the server's own objects have it. */
export interface RequestToAdmit {
  method: string;
  url: string;
  ip: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  routeOptions: { url?: string | undefined };
}
export interface ReplyToRefuse {
  code(status: number): this;
  headers(values: Record<string, string>): this;
  type(mediaType: string): this;
  send(body: string): this;
}

const nobody: Principal = { id: 'nobody', role: 'viewer', groups: [] };
/** By `METHOD /path/:parameter`, as the server's routes are written. */
const operations: ReadonlyMap<string, RestOperation> = new Map(
  Object.values<RestOperation>(restOperations).map((operation) => [
    `${operation.method.toUpperCase()} ${operation.path.replace(/\{(\w+)\}/g, ':$1')}`,
    operation,
  ]),
);

/**
 * Job: decides who may call what, before a body is read.
 * Boundary: runs as the first hook of every request.
 * Invariants:
 * 1. A route that the table of operations does not know is refused, whoever asks: deny by default.
 * 2. Without a valid token only public calls go through; with one, those that its role may make.
 * 3. A body larger than its call may have is refused by its announced length.
 */
export class AccessControl {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly largestBody: (operation: RestOperation) => number,
  ) {}

  async admit(request: RequestToAdmit, reply: ReplyToRefuse): Promise<Caller | null> {
    const result = await this.#decide(request);
    if ('id' in result) return result;
    const headers: Record<string, string> = {};
    if (result.status === 401) headers['www-authenticate'] = 'Bearer';
    if (result.status === 503) headers['retry-after'] = '1';
    reply
      .code(result.status)
      .headers(headers)
      .type('application/problem+json')
      .send(JSON.stringify({ ...result, instance: request.url }));
    return null;
  }

  async #decide(request: RequestToAdmit): Promise<Caller | Problem> {
    const route = request.routeOptions.url;
    // No route matched: the answer is 404, and it tells nothing.
    if (route === undefined) return this.#caller(request, nobody);
    const operation = operations.get(`${request.method} ${route}`);
    if (!operation) {
      return problem('not-allowed', `${request.method} ${route} is not in the table of what may be called by whom`);
    }
    if (operation.role !== 'public') {
      const principal = await this.#principal(request);
      if (!('role' in principal)) return principal;
      if (!mayCall(principal.role, operation.role)) {
        return problem('not-allowed', `this takes the role ${operation.role}; ${principal.id} has ${principal.role}`, {
          remedy: `use a token of role ${operation.role} or above`,
        });
      }
      return this.#sized(request, operation, principal);
    }
    return this.#sized(request, operation, nobody);
  }

  #sized(request: RequestToAdmit, operation: RestOperation, principal: Principal): Caller | Problem {
    const length = Number(request.headers['content-length'] ?? 0);
    const largest = this.largestBody(operation);
    if (length <= largest) return this.#caller(request, principal);
    return problem('too-large', `the body has ${length} bytes; ${largest} are allowed here`, {
      remedy: 'send less at once, or put large data where the process can fetch it',
    });
  }

  async #principal(request: RequestToAdmit): Promise<Principal | Problem> {
    const token = /^Bearer +(\S+)$/i.exec(String(request.headers['authorization'] ?? ''))?.[1];
    if (!token) {
      return problem('unauthenticated', 'there is no token', { remedy: 'send Authorization: Bearer TOKEN' });
    }
    try {
      const result = await this.tokens.verify(token);
      if ('principal' in result) return result.principal;
      return problem('unauthenticated', `the token is ${result.refused}`, { remedy: remedies[result.refused] });
    } catch (error) {
      return problemOf(error).problem;
    }
  }

  #caller(request: RequestToAdmit, principal: Principal): Caller {
    const key = request.headers['idempotency-key'];
    const trace = parseTraceparent(headerOf(request, 'traceparent'));
    const state = trace && parseTracestate(headerOf(request, 'tracestate'));
    return {
      ...principal,
      address: request.ip,
      idempotencyKey: typeof key === 'string' ? key : null,
      traceparent: trace && formatTraceparent(trace),
      ...(state ? { tracestate: state } : {}),
    };
  }
}

function headerOf({ headers }: RequestToAdmit, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

const remedies = {
  malformed: 'send the token as it was shown when it was made',
  unknown: 'ask an admin for a token: baton token create',
  expired: 'ask an admin for a new token',
  revoked: 'ask an admin for a new token',
} as const;
