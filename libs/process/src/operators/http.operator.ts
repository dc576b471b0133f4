import { z } from 'zod';
import { isTemplate, jsonValue, text, textMap } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const harmlessLate: ReadonlySet<string> = new Set(['GET', 'HEAD']);

const auth = z
  .strictObject({
    basic: z.strictObject({ user: text, password: text }).optional(),
    bearer: text.optional(),
  })
  .refine((value) => Object.keys(value).length === 1, { error: 'needs either `basic` or `bearer`' });

const tls = z.strictObject({
  ca: text.optional().describe('Certificates to trust, PEM.'),
  certificate: text.optional().describe('The client certificate, PEM.'),
  key: text.optional().describe('Its key, PEM.'),
  serverName: text.optional(),
});

export const httpOperator: OperatorDescriptor = {
  type: 'http',
  class: 'effect',
  summary: 'Calls a URL; its output is `{ status, headers, body }`, a JSON body parsed.',
  fields: z.object({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).describe('The method.'),
    url: text.describe('The whole URL, http or https.'),
    query: textMap.optional().describe('Query parameters; they are encoded and added to the URL.'),
    headers: textMap.optional().describe('Header lines.'),
    body: jsonValue.optional().describe('YAML becomes JSON, text stays text.'),
    auth: auth.optional().describe('`basic: { user, password }` or `bearer: TOKEN`.'),
    tls: tls.optional().describe('Certificates for https.'),
    redirects: z.int().min(0).max(20).optional().describe('How many redirects are followed; default 0.'),
  }),
  secretFields: ['headers.*', 'query.*', 'body', 'auth', 'tls'],
  defaultRecovery: ({ method }) => (typeof method === 'string' && repeatable.has(method) ? 'rerun' : undefined),
  lateBeginIsHarmless: ({ method }) => typeof method === 'string' && harmlessLate.has(method),
  defaultExpect: 'output.status >= 200 && output.status < 300',
  check: ({ url }) =>
    typeof url === 'string' && !isTemplate(url) && !/^https?:\/\/[^/]/i.test(url)
      ? [{ field: 'url', message: `"${url}" is not an http URL.`, remedy: 'Write the whole URL: https://host/path.' }]
      : [],
};
