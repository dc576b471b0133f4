import type { Json } from '@baton/process';
import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** The fields of `http` once they are evaluated. The schema that publish checks is the descriptor's. */
export const httpFields = z.strictObject({
  method: z
    .string()
    .regex(/^[A-Za-z]+$/, 'expected an HTTP method such as GET or POST')
    .default('GET'),
  url: z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' }),
  query: z.record(z.string(), z.union([scalar, z.array(scalar), z.null()])).optional(),
  headers: z.record(z.string(), z.union([scalar, z.array(scalar)])).optional(),
  body: z.custom<Json>(() => true).optional(),
  auth: z
    .union([
      z.strictObject({ basic: z.strictObject({ user: z.string(), password: z.string() }) }),
      z.strictObject({ bearer: z.string().min(1) }),
    ])
    .optional(),
  tls: z
    .strictObject({
      ca: z.string().optional(),
      certificate: z.string().optional(),
      key: z.string().optional(),
      serverName: z.string().optional(),
    })
    .optional(),
  redirects: z.int().min(0).max(20).optional(),
});
export type HttpFields = z.infer<typeof httpFields>;

/** Set by the connection itself; in a definition they would only make requests that mean two things. */
const ownHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
]);

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string | string[]>;
  body: string | null;
}

/** The request as it leaves. Throws with a message that names the field. */
export function requestOf(
  fields: HttpFields,
  own: { idempotencyKey: string; attempt: number; traceparent?: string; tracestate?: string },
): HttpRequest {
  const url = new URL(fields.url);
  if (url.username !== '' || url.password !== '')
    throw new Error('url: it holds a user name or password; give them as auth: { basic: { user, password } }');
  url.hash = '';
  for (const [name, value] of Object.entries(fields.query ?? {})) {
    for (const part of Array.isArray(value) ? value : [value])
      if (part !== null) url.searchParams.append(name, String(part));
  }
  const headers: Record<string, string | string[]> = {
    accept: '*/*',
    'user-agent': 'baton',
    'idempotency-key': own.idempotencyKey,
    ...traceHeaders(fields, own),
  };
  let body: string | null = null;
  if (typeof fields.body === 'string') {
    body = fields.body;
    headers['content-type'] = 'text/plain; charset=utf-8';
  } else if (fields.body !== undefined && fields.body !== null) {
    body = JSON.stringify(fields.body);
    headers['content-type'] = 'application/json';
  }
  if (fields.auth)
    headers['authorization'] =
      'bearer' in fields.auth
        ? `Bearer ${fields.auth.bearer}`
        : `Basic ${Buffer.from(`${fields.auth.basic.user}:${fields.auth.basic.password}`).toString('base64')}`;
  for (const [name, value] of Object.entries(fields.headers ?? {})) {
    const lower = name.toLowerCase();
    if (ownHeaders.has(lower)) throw new Error(`headers.${name}: the connection sets this one itself; leave it out`);
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) throw new Error(`headers.${name}: this is no name of a header`);
    const values = (Array.isArray(value) ? value : [value]).map(String);
    // Only what fits into latin-1 and holds no line break can stand in a header.
    if (values.some((text) => /[^\t\x20-\x7e\x80-\xff]/.test(text)))
      throw new Error(`headers.${name}: the value holds a line break or a character that no header can carry`);
    headers[lower] = Array.isArray(value) ? values : (values[0] ?? '');
  }
  // The fencing token is never the definition's to choose.
  headers['baton-attempt'] = String(own.attempt);
  return { method: fields.method.toUpperCase(), url, headers, body };
}

/** A definition that sets a traceparent of its own speaks for another trace: ours is then left out as a whole. */
function traceHeaders(
  fields: Pick<HttpFields, 'headers'>,
  own: { traceparent?: string; tracestate?: string },
): Record<string, string> {
  if (own.traceparent === undefined) return {};
  if (Object.keys(fields.headers ?? {}).some((name) => name.toLowerCase() === 'traceparent')) return {};
  return { traceparent: own.traceparent, ...(own.tracestate === undefined ? {} : { tracestate: own.tracestate }) };
}

/** What must not follow a redirect to another origin. */
const bound = ['authorization', 'cookie', 'proxy-authorization'];

/** The next request of a redirect, by the rules of HTTP; null when the answer is no redirect. Throws when it must not be followed. */
export function redirected(request: HttpRequest, status: number, location: string | undefined): HttpRequest | null {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return null;
  const url = new URL(location, request.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error(`the redirect leads to ${url.protocol}, which is not followed`);
  if (request.url.protocol === 'https:' && url.protocol === 'http:')
    throw new Error(`the redirect leads from https to ${url.origin} without encryption`);
  if (url.username !== '' || url.password !== '') throw new Error('the redirect holds a user name or password');
  const headers = { ...request.headers };
  if (url.origin !== request.url.origin) {
    for (const name of bound) delete headers[name];
    for (const name of Object.keys(headers))
      if (/key|token|secret|auth/i.test(name) && name !== 'idempotency-key') delete headers[name];
    delete headers['host'];
  }
  const toGet = status === 303 ? request.method !== 'HEAD' : status < 303 && request.method === 'POST';
  if (!toGet) return { ...request, url, headers };
  delete headers['content-type'];
  return { method: 'GET', url, headers, body: null };
}
