import type { Problem } from '@baton/contracts';
import { BatonProblem, ServerOutOfReach } from './client.errors.js';

export interface TransportOptions {
  url: string;
  token?: string;
  /** How long in all a call waits for a server that is away or says 503, in ms. Default: 60,000. 0: not at all. */
  patienceMs?: number;
  fetch?: typeof fetch;
  /** For tests. */
  pause?: (ms: number, signal?: AbortSignal) => Promise<void>;
  now?: () => number;
  /** Told of every try that is repeated. */
  onRetry?: (attempt: number, reason: string) => void;
}

export interface HttpCall {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Doing it twice is doing it once: a broken connection is followed by another try. */
  repeatable: boolean;
  signal?: AbortSignal;
}

/**
 * Job: sends calls, and waits for a server that is away.
 * Boundary: fetch.
 * Invariants:
 * 1. A call that is not repeatable is sent again only when the server cannot have acted on it (nothing left, or 503).
 * 2. A repeated call is byte for byte the same, its Idempotency-Key included.
 * 3. Waiting ends with the patience given, and then says whether the call may have happened.
 */
export class HttpTransport {
  readonly #options: TransportOptions;
  readonly #fetch: typeof fetch;
  readonly #pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly #now: () => number;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? fetch;
    this.#pause = options.pause ?? pause;
    this.#now = options.now ?? Date.now;
  }

  get url(): string {
    return this.#options.url;
  }

  /** A successful answer; refusals are thrown as BatonProblem. */
  async send(call: HttpCall): Promise<Response> {
    const until = this.#now() + (this.#options.patienceMs ?? 60_000);
    for (let attempt = 1; ; attempt++) {
      const result = await this.#try(call);
      if (result instanceof Response) {
        if (result.ok) return result;
        const problem = await problemOf(result);
        const pauseMs = retryAfter(result) ?? backoff(attempt);
        if (result.status !== 503 || this.#now() + pauseMs > until) throw new BatonProblem(problem);
        await this.#wait(call, attempt, pauseMs, problem.detail);
        continue;
      }
      const repeat = call.repeatable || result.neverSent;
      const pauseMs = backoff(attempt);
      if (!repeat || this.#now() + pauseMs > until) {
        throw new ServerOutOfReach(this.url, !result.neverSent && !isReading(call), result.cause);
      }
      await this.#wait(call, attempt, pauseMs, 'out of reach');
    }
  }

  async #wait(call: HttpCall, attempt: number, ms: number, reason: string): Promise<void> {
    this.#options.onRetry?.(attempt, reason);
    await this.#pause(ms, call.signal);
  }

  async #try(call: HttpCall): Promise<Response | { cause: unknown; neverSent: boolean }> {
    const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
    if (this.#options.token) headers.authorization = `Bearer ${this.#options.token}`;
    try {
      return await this.#fetch(new URL(call.path, this.#options.url), {
        method: call.method.toUpperCase(),
        headers,
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(call.signal ? { signal: call.signal } : {}),
      });
    } catch (cause) {
      if (call.signal?.aborted) throw cause;
      return { cause, neverSent: neverSent(cause) };
    }
  }
}

function isReading(call: HttpCall): boolean {
  return call.method.toUpperCase() === 'GET';
}

function neverSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH'].includes(code);
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  const fallback: Problem = {
    type: 'about:blank',
    code: 'unexpected',
    title: response.statusText,
    status: response.status,
    detail: text.slice(0, 500) || `the server answered ${response.status}`,
  };
  if (!response.headers.get('content-type')?.includes('json')) return fallback;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return fallback;
    return { ...fallback, ...parsed };
  } catch (error) {
    return { ...fallback, detail: `the answer cannot be read: ${String(error)}` };
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, 10_000) : undefined;
}

function backoff(attempt: number): number {
  const base = Math.min(2000, 100 * 2 ** (attempt - 1));
  return base / 2 + (Math.random() * base) / 2;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
