import type { EffectResult } from '@baton/process';
import type { AddressGuard, Lookup } from '@baton/security';
import type { EffectContext } from '../operator.port.js';
import { abortOf, checkFields, failed, messageOf, notBegun, unknown } from '../shared/results.js';
import { bodyOf, headersOf } from './http.body.js';
import { type Exchange, exchange } from './http.exchange.js';
import { type HttpFields, type HttpRequest, httpFields, redirected, requestOf } from './http.fields.js';

export interface HttpOptions {
  guard: AddressGuard;
  lookup?: Lookup;
  connectTimeoutMs?: number;
  silenceMs?: number;
  maxResponseBytes?: number;
}

/**
 * Job: one HTTP request, and the honest word about what became of it. Boundary: it neither retries nor judges a status;
 * `expect` and `retry` of the definition do.
 *
 * 1. Nothing was sent (name, connection, TLS, refused address): a known failure.
 * 2. A whole answer came, whatever its status: completed.
 * 3. Something may have been sent and no whole answer came: unknown, never a failure.
 * 4. begin() is called in the step that writes the request, anew for each redirect; without its leave nothing is sent.
 * 5. Every hop goes to an address that the guard has let through.
 */
export async function runHttp(context: EffectContext, options: HttpOptions): Promise<EffectResult> {
  const checked = checkFields(httpFields, context.fields);
  if ('failure' in checked) return checked.failure;
  let request: HttpRequest;
  try {
    request = requestOf(checked.fields, context);
  } catch (error) {
    return failed('invalid-fields', messageOf(error));
  }
  const timer = context.timeout === undefined ? undefined : AbortSignal.timeout(context.timeout);
  const signal = timer ? AbortSignal.any([context.signal, timer]) : context.signal;
  return follow(request, checked.fields, context, signal, options);
}

async function follow(
  first: HttpRequest,
  fields: HttpFields,
  context: EffectContext,
  signal: AbortSignal,
  options: HttpOptions,
): Promise<EffectResult> {
  const safe = ['GET', 'HEAD', 'OPTIONS'].includes(first.method);
  const most = fields.redirects ?? 0;
  const maxBytes = options.maxResponseBytes ?? 10 * 1024 * 1024;
  let request = first;
  for (let hop = 0; ; hop++) {
    const name = `${request.method} ${request.url.origin}${request.url.pathname}`;
    const result = await exchange(request, {
      guard: options.guard,
      lookup: options.lookup,
      tls: fields.tls,
      signal,
      begin: () => context.begin(),
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      silenceMs: context.timeout === undefined ? (options.silenceMs ?? 300_000) : 0,
      maxBytes,
    });
    if (result.kind !== 'answered') return ended(result, name, hop, safe, signal, maxBytes);
    try {
      const location = result.headers['location'];
      const to = Array.isArray(location) ? location[0] : location;
      const next = most > 0 ? redirected(request, result.status, to) : null;
      if (next) {
        if (hop >= most) return failed('too-many-redirects', `${name} was redirected more than ${most} times`);
        request = next;
        continue;
      }
    } catch (error) {
      return failed('redirect-refused', `${name}: ${messageOf(error)}`);
    }
    try {
      const body = bodyOf(result.body, result.headers, maxBytes);
      return { status: 'completed', output: { status: result.status, headers: headersOf(result.headers), body } };
    } catch (error) {
      const head = { status: result.status, headers: headersOf(result.headers) };
      return failed(
        'response-not-readable',
        `${name} answered ${result.status}, but its body cannot be kept: ${messageOf(error)}`,
        undefined,
        head,
      );
    }
  }
}

function ended(
  result: Exclude<Exchange, { kind: 'answered' }>,
  name: string,
  hop: number,
  safe: boolean,
  signal: AbortSignal,
  maxBytes: number,
): EffectResult {
  switch (result.kind) {
    case 'refused':
      return failed(result.code, `${name}: ${result.message}`);
    case 'too-large':
      return failed(
        'response-too-large',
        `${name} answered ${result.status} with more than ${maxBytes} bytes; ask for less`,
        undefined,
        { status: result.status, headers: headersOf(result.headers) },
      );
    case 'broken':
      return unknown(`${name}: ${signal.aborted ? abortOf(signal).text : result.reason}`);
    case 'not-begun': {
      // Behind a redirect an earlier request has already gone out.
      if (hop > 0 && !safe) return unknown(`${name}: ${result.reason}, after an earlier request had been redirected`);
      if (signal.aborted && abortOf(signal).code === 'timeout')
        return failed('timeout', `${name}: ${abortOf(signal).text} before anything was sent`);
      return notBegun(`${name}: ${result.reason}`);
    }
  }
}
