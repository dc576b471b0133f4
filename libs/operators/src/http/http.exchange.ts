import { type AddressGuard, AddressRefused, checkHost, guardedLookup, type Lookup } from '@baton/security';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { codeOf, messageOf } from '../shared/results.js';
import type { HttpFields, HttpRequest } from './http.fields.js';

export type Exchange =
  | { kind: 'answered'; status: number; headers: Record<string, string | string[]>; body: Buffer }
  /** Answered, but the body is larger than what is kept. */
  | { kind: 'too-large'; status: number; headers: Record<string, string | string[]> }
  /** Nothing was sent. */
  | { kind: 'refused'; code: string; message: string }
  /** begin() did not let it go. */
  | { kind: 'not-begun'; reason: string }
  /** Sent, perhaps in part, and no whole answer came. */
  | { kind: 'broken'; reason: string };

export interface ExchangeOptions {
  guard: AddressGuard;
  lookup?: Lookup;
  tls?: HttpFields['tls'];
  signal: AbortSignal;
  begin: () => void;
  connectTimeoutMs: number;
  /** Between two signs of life from the server; only where the attempt has no timeout of its own. */
  silenceMs: number;
  maxBytes: number;
}

/**
 * One request over a connection of its own, pinned to an address that the guard has seen.
 * No connection is reused: on a used one, a server's idle close crosses with the request and makes its outcome unknown
 * without need. `begin` is called in the step in which the request is written to the socket.
 */
export async function exchange(request: HttpRequest, options: ExchangeOptions): Promise<Exchange> {
  const refused = checkHost(options.guard, request.url.hostname);
  if (refused) return { kind: 'refused', code: refused.code, message: refused.message };
  let client: Client;
  try {
    client = clientFor(request.url, options);
  } catch (error) {
    return { kind: 'refused', code: 'tls', message: messageOf(error) };
  }
  const abort = () => {
    client.destroy(new Aborted()).catch(() => undefined);
  };
  options.signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<Exchange>((done) => {
      const handler = new ExchangeHandler(options, done);
      client.dispatch(
        {
          path: `${request.url.pathname}${request.url.search}`,
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: request.body,
          idempotent: false,
          blocking: false,
        },
        handler,
      );
      if (options.signal.aborted) abort();
    });
  } finally {
    options.signal.removeEventListener('abort', abort);
    client.destroy().catch(() => undefined);
  }
}

class Aborted extends Error {
  override name = 'Aborted';
}

function clientFor(url: URL, options: ExchangeOptions): Client {
  const { ca, certificate, key, serverName } = options.tls ?? {};
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    allowH2: false,
    maxCachedSessions: 0,
    lookup: options.lookup ?? guardedLookup(options.guard),
    ...(url.protocol === 'https:' ? { ca, cert: certificate, key, servername: serverName } : {}),
  });
  return new Client(url.origin, {
    // Belt and braces: whatever was resolved, the address that the socket really has is checked once more.
    connect: (target, callback) =>
      connect(target, (...result) => {
        const [error, socket] = result;
        const address = socket?.remoteAddress;
        const refusal = error || !address ? null : options.guard.check(address);
        if (refusal) {
          socket?.destroy();
          callback(new AddressRefused(url.hostname, [refusal]), null);
        } else {
          callback(...result);
        }
      }),
    pipelining: 1,
    allowH2: false,
    headersTimeout: options.silenceMs,
    bodyTimeout: options.silenceMs,
    maxHeaderSize: 64 * 1024,
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  private begun = false;
  private notBegun: string | null = null;
  private answer: { status: number; headers: Record<string, string | string[]> } | null = null;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private tooLarge = false;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly done: (exchange: Exchange) => void,
  ) {}

  onRequestStart(): void {
    if (this.begun) throw new Error('the connection would have sent the request a second time');
    try {
      this.options.begin();
    } catch (error) {
      this.notBegun = messageOf(error);
      throw error;
    }
    this.begun = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const kept = Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] => entry[1] !== undefined,
    );
    this.answer = { status, headers: Object.fromEntries(kept) };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.options.maxBytes) {
      this.tooLarge = true;
      controller.abort(new Error('too large'));
    } else {
      this.chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    if (this.answer) this.done({ kind: 'answered', ...this.answer, body: Buffer.concat(this.chunks) });
    else this.done({ kind: 'broken', reason: 'the connection ended without an answer' });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.done(this.endOf(error));
  }

  private endOf(error: Error): Exchange {
    if (this.notBegun !== null) return { kind: 'not-begun', reason: this.notBegun };
    if (this.tooLarge && this.answer) return { kind: 'too-large', ...this.answer };
    if (this.begun) {
      const so = this.answer
        ? `status ${this.answer.status} arrived, the rest of the answer did not`
        : 'no answer came';
      return { kind: 'broken', reason: `${so}: ${messageOf(error)}` };
    }
    if (error instanceof Aborted) return { kind: 'not-begun', reason: 'aborted before anything was sent' };
    return {
      kind: 'refused',
      code: connectCode(error),
      message: messageOf(error) || (codeOf(error) ?? 'no connection'),
    };
  }
}

function connectCode(error: unknown): string {
  const code = codeOf(error) ?? '';
  if (code === 'address-refused') return code;
  if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL|EDNS)/.test(code)) return 'dns';
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_|EPROTO)/.test(code)) return 'tls';
  if (/^UND_ERR_(INVALID|NOT_SUPPORTED)/.test(code)) return 'invalid-fields';
  return 'connection';
}
