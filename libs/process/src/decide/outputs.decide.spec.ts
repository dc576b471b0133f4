import { expect, it } from 'vitest';
import type { Json } from '../json.types.js';
import { compiled, Given } from './given.spec-helper.js';

const reference = (digest: string) => ({ $artifact: { digest, size: 300_000, mediaType: 'application/json' } });
const large = (given: Given, contents: Record<string, Json>): Given =>
  Object.defineProperty(given, 'artifact', { value: (digest: string) => contents[digest] });

it('a large output is read by its own expect, by what comes after, and by its undo; the log keeps the reference', () => {
  const given = large(
    Given.of(`
operators:
  a:
    type: http
    method: GET
    url: "https://x"
    outcomes: { big: output.body.size() > 2, small: else }
    compensate: { type: http, method: DELETE, url: "https://x/\${{ output.body[1] }}" }
  b: { type: set, after: [a.big], value: "\${{ operators.a.output.body[2] }}" }
  c: { type: fail, after: [b], message: "no" }
`),
    { d1: { status: 200, body: [1, 2, 3] } },
  );
  given.decide();
  expect(given.completes('a', reference('d1')).slice(0, 2)).toEqual(['OperatorCompleted a', 'OperatorCompleted b']);
  expect(given.state.operators.get('b')?.output).toBe(3);
  expect(given.state.operators.get('a')?.output).toEqual(reference('d1'));
  expect(given.begun.at(-1)?.fields['url']).toBe('https://x/2');
  expect(given.definition.outputsRead).toContainEqual({ root: 'operators', path: ['a', 'output'] });
});

it('the large outputs of items are read in the output of their loop', () => {
  const given = large(
    Given.of(`
operators:
  l: { type: http, method: GET, url: "https://x", forEach: { in: "\${{ [1, 2] }}" } }
  b: { type: set, after: [l], value: "\${{ operators.l.output.map(one, one.output.body) }}" }
`),
    { d1: { status: 200, body: 'one' } },
  );
  given.decide();
  given.completes('l[0]', reference('d1'));
  given.completes('l[1]', { status: 200, body: 'two' });
  expect(given.state.operators.get('b')?.output).toEqual(['one', 'two']);
});

it('what a verification finds is sealed as the output that it becomes', () => {
  const given = new Given(
    compiled(`
operators:
  a:
    type: http
    method: POST
    url: "https://x"
    sensitive: [body.token]
    recovery: verify
    verify: { type: http, method: GET, url: "https://x", outcomes: { happened: output.status == 200, not-happened: else } }
`),
  );
  given.decide();
  expect(given.begun.at(-1)?.sensitive).toEqual(['body.token']);
  given.end('a', { status: 'unknown', reason: 'cut' });
  expect(given.begun.at(-1)).toMatchObject({ path: 'a/verify', sensitive: ['body.token'] });
});
