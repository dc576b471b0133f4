import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '@baton/process';
import { Masker } from '@baton/security';
import { type TestDatabase, testDatabase } from '@baton/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EffectContext } from '../operator.port.js';
import { OperatorRegistry } from '../registry/operator.registry.js';
import { effectContext } from './effect.fixture.js';
import { maskResult } from './mask.result.js';

const canary = 'c4n@ry/with "quotes" +and ü';
const masker = new Masker([canary]);
const operators = new OperatorRegistry({ allowAddresses: ['127.0.0.1'], allowScript: true });
let database: TestDatabase;
let url = '';
const echo: RequestListener = (request, response) => {
  if (request.url === '/cut') request.socket.destroy();
  else if (request.url?.startsWith('/to'))
    response.writeHead(302, { location: `ftp://nowhere/${String(request.headers['x-secret'])}` }).end();
  else
    request.pipe(
      response.setHeader('x-echo', JSON.stringify(request.headers)).setHeader('content-type', 'application/json'),
    );
};
const server = createServer(echo);

beforeAll(async () => {
  database = await testDatabase();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await operators.close();
  await database.drop();
});

const forms = [
  canary,
  encodeURIComponent(canary),
  btoa('u:') + canary,
  Buffer.from(canary).toString('base64').slice(2, -4),
  Buffer.from(`u:${canary}`).toString('base64').slice(4, -4),
  JSON.stringify(canary).slice(1, -1),
];
const encoded = Buffer.from(canary, 'utf8').toString('latin1');

it.each<[string, string, () => Record<string, Json>]>([
  ['http, echoed as JSON', 'http', () => ({ method: 'POST', url, body: { password: canary, again: [canary] } })],
  [
    'http, echoed as text',
    'http',
    () => ({ method: 'POST', url, body: `x${canary}y`, headers: { 'content-type': 'text/plain' } }),
  ],
  [
    'http, basic authorization in an echoed header',
    'http',
    () => ({ method: 'GET', url, auth: { basic: { user: 'u', password: canary } } }),
  ],
  [
    'http, in the address of a broken request',
    'http',
    () => ({ method: 'POST', url: `${url}/cut`, query: { token: canary } }),
  ],
  [
    'http, in a refused redirect',
    'http',
    () => ({ method: 'GET', url: `${url}/to`, headers: { 'x-secret': encodeURIComponent(canary) }, redirects: 1 }),
  ],
  ['http, in a field that does not fit', 'http', () => ({ method: 'GET', url: canary })],
  [
    'sql, in rows',
    'sql',
    () => ({
      connection: 'app',
      statement: 'select $1::text as a, $2::jsonb as b',
      parameters: [canary, { c: canary }],
    }),
  ],
  ['sql, in an error', 'sql', () => ({ connection: 'app', statement: 'select $1::text::int', parameters: [canary] })],
  [
    'script, in its output',
    'script',
    () => ({ run: ['sh', '-c', 'echo "$S"; echo "$S" | base64 >&2'], environment: { S: canary } }),
  ],
  ['script, in output that is no JSON', 'script', () => ({ run: ['cat'], stdin: canary, parse: 'json' })],
])('no secret leaves an effect: %s', async (_name, type, fields) => {
  const change: Partial<EffectContext> = {
    idempotencyKey: `mask-${_name}`,
    connection: async () => ({ type: 'postgresql', url: database.url }),
  };
  const result = await operators.get(type)?.run(effectContext(fields(), change));
  if (!result) throw new Error('no such operator');
  const text = JSON.stringify(maskResult(result, masker));
  for (const form of [...forms, encoded]) expect(text).not.toContain(form);
});
