import { createServer, type RequestListener, type Server } from 'node:http';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Json } from '@baton/process';
import { AddressGuard, guardedLookup } from '@baton/security';
import { afterEach, describe, expect, it } from 'vitest';
import { type EffectContext, NotBegun } from '../operator.port.js';
import { effectContext } from '../shared/effect.fixture.js';
import { runHttp } from './http.operator.js';

const open: (net.Server | Server)[] = [];
const sockets = new Set<net.Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

function listen(server: net.Server | Server): Promise<string> {
  open.push(server);
  server.on('connection', (socket: net.Socket) => sockets.add(socket.on('error', () => undefined)));
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)),
  );
}
const serve = (listener: RequestListener) => listen(createServer(listener));
const raw = (onConnection: (socket: net.Socket) => void) => listen(net.createServer(onConnection));

const local = new AddressGuard(['127.0.0.1/32']);
const run = (fields: Record<string, Json>, change: Partial<EffectContext> = {}, guard = local) =>
  runHttp(effectContext(fields, change), { guard });

describe('http', () => {
  it('sends method, query, headers, JSON body, idempotency key, attempt and trace, and parses the answer', async () => {
    const url = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json; charset=utf-8');
        response.end(
          JSON.stringify({
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
    });
    const context = effectContext(
      {
        method: 'post',
        url: `${url}/x?a=1`,
        query: { b: ['2', 3], c: true },
        headers: { 'X-One': 1 },
        body: { n: [1, null] },
        auth: { bearer: 'tok' },
      },
      { attempt: 4, traceparent: '00-aa-bb-01' },
    );
    const result = await runHttp(context, { guard: local });
    expect(result).toMatchObject({
      status: 'completed',
      output: {
        status: 200,
        body: {
          method: 'POST',
          url: '/x?a=1&b=2&b=3&c=true',
          body: '{"n":[1,null]}',
          headers: {
            'idempotency-key': 'key-1',
            'baton-attempt': '4',
            traceparent: '00-aa-bb-01',
            'x-one': '1',
            authorization: 'Bearer tok',
            'content-type': 'application/json',
          },
        },
      },
    });
    expect(context.begun).toBe(1);
  });

  it('sends text as text and basic authorization', async () => {
    const url = await serve((request, response) => {
      request.pipe(
        response
          .setHeader('x-auth', request.headers.authorization ?? '')
          .setHeader('x-type', request.headers['content-type'] ?? ''),
      );
    });
    const result = await run({ method: 'PUT', url, body: 'text', auth: { basic: { user: 'u', password: 'p' } } });
    expect(result).toMatchObject({
      output: { body: 'text', headers: { 'x-auth': `Basic ${btoa('u:p')}`, 'x-type': 'text/plain; charset=utf-8' } },
    });
  });

  it.each([
    ['keeps integers beyond 2^53 whole', 'application/json', '{"n":9007199254740993}', { n: '9007199254740993' }],
    ['keeps text that only says it is JSON', 'application/json', '{no', '{no'],
    ['escapes what the log cannot hold', 'application/json', '{"a":"\\u0000\\ud800"}', { a: '\\u0000\\ud800' }],
    ['knows vendor JSON', 'application/problem+json', '{"a":1}', { a: 1 }],
    ['gives bytes as base64', 'application/octet-stream', Buffer.from([255, 0, 1]), { base64: '/wAB' }],
    ['gives null for nothing', 'text/plain', '', null],
  ])('%s', async (_name, type, body, expected) => {
    const url = await serve((_request, response) => void response.setHeader('content-type', type).end(body));
    expect(await run({ url })).toMatchObject({ status: 'completed', output: { body: expected } });
  });

  it('reads a compressed answer, and does not let a small one become a huge one', async () => {
    const url = await serve((request, response) => {
      const body = request.url === '/bomb' ? Buffer.alloc(50_000_000) : 'hello';
      response.setHeader('content-encoding', 'gzip').setHeader('content-type', 'text/plain').end(gzipSync(body));
    });
    expect(await run({ url })).toMatchObject({ output: { body: 'hello' } });
    expect(await run({ url: `${url}/bomb` })).toMatchObject({
      status: 'failed',
      error: { code: 'response-not-readable' },
    });
  });

  it('is completed whatever the status: expect judges it', async () => {
    const url = await serve((_request, response) => void response.writeHead(503).end('busy'));
    expect(await run({ method: 'POST', url })).toMatchObject({
      status: 'completed',
      output: { status: 503, body: 'busy' },
    });
  });

  it('refuses an answer that is too large or too deep, by name and with its status', async () => {
    const url = await serve((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url === '/deep' ? `${'['.repeat(500)}${']'.repeat(500)}` : 'x'.repeat(5000));
    });
    const result = await runHttp(effectContext({ url }), { guard: local, maxResponseBytes: 4096 });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'response-too-large' }, output: { status: 200 } });
    expect(await run({ url: `${url}/deep` })).toMatchObject({
      status: 'failed',
      error: { code: 'response-not-readable' },
    });
  });

  it.each([
    ['no address', { url: 'not a url' }, /url/],
    ['another protocol', { url: 'file:///etc/passwd' }, /url/],
    ['a password in the address', { url: 'http://u:p@127.0.0.1/' }, /auth/],
    ['a line break in a header', { url: 'http://127.0.0.1/', headers: { a: 'x\r\ny: z' } }, /headers\.a/],
    [
      'a header of the connection',
      { url: 'http://127.0.0.1/', headers: { 'Transfer-Encoding': 'chunked' } },
      /leave it out/,
    ],
    ['an unknown field', { url: 'http://127.0.0.1/', bodi: 1 }, /bodi/],
  ])('names %s before anything is sent', async (_name, fields, message) => {
    const context = effectContext(fields as Record<string, Json>);
    const result = await runHttp(context, { guard: local });
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'invalid-fields', message: expect.stringMatching(message) },
    });
    expect(context.begun).toBe(0);
  });
});

describe('http: nothing was sent, so the failure is known', () => {
  const closedPort = async () => {
    const url = await raw(() => undefined);
    await new Promise((done) => open.pop()?.close(done));
    return url;
  };

  it('connection refused', async () => {
    const context = effectContext({ method: 'POST', url: await closedPort() });
    expect(await runHttp(context, { guard: local })).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(context.begun).toBe(0);
  });

  it('the name does not resolve', async () => {
    const failing = guardedLookup(local, (_host, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []),
    );
    const result = await runHttp(effectContext({ method: 'POST', url: 'http://name.invalid/' }), {
      guard: local,
      lookup: failing,
    });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'dns' } });
  });

  it('the server does not speak TLS', async () => {
    const url = await raw((socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const context = effectContext({ method: 'POST', url: url.replace('http:', 'https:') });
    expect(await runHttp(context, { guard: local })).toMatchObject({ status: 'failed', error: { code: 'tls' } });
    expect(context.begun).toBe(0);
  });

  it('the connection closes during the TLS handshake', async () => {
    const url = await raw((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    const context = effectContext({ method: 'POST', url: url.replace('http:', 'https:') });
    expect(await runHttp(context, { guard: local })).toMatchObject({ status: 'failed' });
    expect(context.begun).toBe(0);
  });

  it('begin() refuses: not a byte reaches the server', async () => {
    const received: Buffer[] = [];
    let connected: () => void = () => undefined;
    const ended = new Promise<void>((done) => {
      connected = done;
    });
    const url = await raw((socket) => void socket.on('data', (chunk) => received.push(chunk)).on('close', connected));
    const result = await run(
      { method: 'POST', url, body: 'x' },
      {
        begin: () => {
          throw new NotBegun('the lease has run out');
        },
      },
    );
    await ended;
    expect(result).toEqual({ status: 'not-begun', reason: expect.stringContaining('the lease has run out') });
    expect(received).toEqual([]);
  });

  it('aborted before it began', async () => {
    const context = effectContext({ method: 'POST', url: await serve((_request, response) => void response.end()) });
    context.abort('cancelled');
    expect(await runHttp(context, { guard: local })).toMatchObject({ status: 'not-begun' });
    expect(context.begun).toBe(0);
  });
});

describe('http: it may have happened, so the outcome is unknown', () => {
  const onRequest = (act: (socket: net.Socket) => void) => raw((socket) => void socket.once('data', () => act(socket)));

  it.each<[string, (socket: net.Socket) => void]>([
    ['closes after reading the request', (socket) => socket.end()],
    ['resets after reading the request', (socket) => socket.resetAndDestroy()],
    ['answers half a head', (socket) => socket.end('HTTP/1.1 200 OK\r\nConte')],
    ['answers half a body', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')],
    ['answers half a chunk', (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab')],
    ['answers what is no HTTP', (socket) => socket.end('SSH-2.0-banana\r\n\r\n')],
  ])('the server %s', async (_name, act) => {
    const context = effectContext({ method: 'POST', url: await onRequest(act), body: 'x' });
    expect(await runHttp(context, { guard: local })).toMatchObject({ status: 'unknown' });
    expect(context.begun).toBe(1);
  });

  it('the server closes each connection before it reads', async () => {
    const context = effectContext({ method: 'POST', url: await raw((socket) => socket.resetAndDestroy()), body: 'x' });
    const result = await runHttp(context, { guard: local });
    // Begun or not is a race with the reset; what counts is that a begun one is never called a known failure.
    expect(result.status).toBe(context.begun > 0 ? 'unknown' : 'failed');
    expect(context.begun).toBeLessThanOrEqual(1);
  });

  it('the server hangs until the attempt has timed out', async () => {
    const url = await onRequest(() => undefined);
    expect(await run({ method: 'POST', url }, { timeout: 50 })).toEqual({
      status: 'unknown',
      reason: expect.stringContaining('the time of the attempt was up'),
    });
  });

  it('the server falls silent in an attempt without a timeout', async () => {
    const url = await onRequest(() => undefined);
    const result = await runHttp(effectContext({ method: 'POST', url }), { guard: local, silenceMs: 50 });
    expect(result).toMatchObject({ status: 'unknown' });
  });

  it('it is aborted after it began', async () => {
    const context: ReturnType<typeof effectContext> = effectContext({
      method: 'POST',
      url: await onRequest(() => context.abort(new Error('cancelled by ann'))),
    });
    expect(await runHttp(context, { guard: local })).toEqual({
      status: 'unknown',
      reason: expect.stringContaining('cancelled by ann'),
    });
  });
});

describe('http: redirects and refused addresses', () => {
  it('follows a redirect of a GET, and says begin() for each hop', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
      else response.end('there');
    });
    const context = effectContext({ url: `${url}/a`, redirects: 1 });
    expect(await runHttp(context, { guard: local })).toMatchObject({ output: { status: 200, body: 'there' } });
    expect(context.begun).toBe(2);
  });

  it('gives the redirect of a POST as the answer unless told to follow, and then by the rules', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/303') response.writeHead(303, { location: '/seen' }).end();
      else if (request.url === '/307') response.writeHead(307, { location: '/seen' }).end();
      else response.end(request.method);
    });
    expect(await run({ method: 'POST', url: `${url}/303`, body: 'x' })).toMatchObject({ output: { status: 303 } });
    expect(await run({ method: 'POST', url: `${url}/303`, body: 'x', redirects: 1 })).toMatchObject({
      output: { body: 'GET' },
    });
    expect(await run({ method: 'POST', url: `${url}/307`, body: 'x', redirects: 1 })).toMatchObject({
      output: { body: 'POST' },
    });
  });

  it('ends a circle', async () => {
    const url = await serve((_request, response) => void response.writeHead(302, { location: '/' }).end());
    expect(await run({ url, redirects: 3 })).toMatchObject({ status: 'failed', error: { code: 'too-many-redirects' } });
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://[::1]:1/',
    'http://2130706434/',
    'file:///etc/passwd',
  ])('does not follow a redirect to %s', async (location) => {
    const url = await serve((_request, response) => void response.writeHead(302, { location }).end());
    expect(await run({ url, redirects: 2 })).toMatchObject({
      status: 'failed',
      error: { code: expect.stringMatching(/^(address-refused|redirect-refused)$/) },
    });
  });

  it('leaves credentials behind when a redirect leads to another origin', async () => {
    const other = await serve((request, response) => void response.end(JSON.stringify(request.headers)));
    const url = await serve((_request, response) => void response.writeHead(302, { location: other }).end());
    const result = await run({
      url,
      redirects: 1,
      auth: { bearer: 'canary' },
      headers: { Cookie: 'canary', 'X-Api-Key': 'canary' },
    });
    expect(result).toMatchObject({ output: { status: 200 } });
    expect(JSON.stringify(result)).not.toContain('canary');
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://0x7f.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://0.0.0.0/',
    'http://localhost/',
  ])('refuses %s by default, before a connection is made', async (url) => {
    const context = effectContext({ url });
    const result = await runHttp(context, { guard: new AddressGuard() });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'address-refused', message: /--allow-address/ } });
    expect(context.begun).toBe(0);
  });

  it('is not led astray by a name that resolves to something else the second time', async () => {
    let reached = false;
    const url = await serve((_request, response) => {
      reached = true;
      response.end();
    });
    let times = 0;
    const guard = new AddressGuard();
    const rebinding = guardedLookup(guard, (_host, _options, callback) =>
      callback(null, [{ address: times++ === 0 ? '127.0.0.1' : '1.1.1.1', family: 4 }]),
    );
    const result = await runHttp(effectContext({ url: url.replace('127.0.0.1', 'rebind.example') }), {
      guard,
      lookup: rebinding,
    });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'address-refused' } });
    // Even a resolver that hands out an unchecked address does not get through: the socket's own address is looked at.
    const lying = await runHttp(effectContext({ url: url.replace('127.0.0.1', 'rebind.example') }), {
      guard,
      lookup: (_host, options, callback) =>
        options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
    });
    expect(lying).toMatchObject({ status: 'failed', error: { code: 'address-refused' } });
    expect(reached).toBe(false);
  });
});
