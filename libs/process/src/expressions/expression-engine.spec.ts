import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../json.types.js';
import { ExpressionError, type Scope } from './expression.types.js';
import { ExpressionEngine } from './expression-engine.js';
import { celFunctions } from './function-list.js';
import { parseTemplate } from './template.js';

const engine = new ExpressionEngine({ price: { type: 'number' }, n: { type: 'integer' } });

function scope(given: Partial<Scope> = {}): Scope {
  return {
    inputs: {},
    operators: {},
    process: { id: 'c1-1', title: 'T', requester: 'ann', status: 'running', now: '2026-11-23T10:00:00Z' },
    ...given,
  };
}

function evaluate(source: string, given: Partial<Scope> = {}): Json {
  return engine.parse(source).evaluate(scope(given));
}

function fill(source: Json, given: Partial<Scope> = {}): Json {
  return parseTemplate(engine, source).evaluate(scope(given));
}

describe('numbers of JSON calculate and compare with each other', () => {
  const inputs = { n: 7, priority: 2, price: 3, half: 0.5 };
  it.each<[string, Json]>([
    ['inputs.n % 2', 1],
    ['inputs.priority + 1', 3],
    ['inputs.priority + inputs.half', 2.5],
    ['inputs.half * inputs.n', 3.5],
    ['inputs.n / 2', 3],
    ['inputs.price / 2', 1.5],
    ['inputs.n == 7', true],
    ['inputs.n == 7.0', true],
    ['inputs.half < inputs.n', true],
    ['inputs.n in [6, 7]', true],
    ['inputs.n > 6 ? "big" : "small"', 'big'],
  ])('%s is %j', (source, expected) => {
    expect(evaluate(source, { inputs })).toEqual(expected);
  });

  it('of an output as of an input', () => {
    expect(evaluate('output.status == 200', { output: { status: 200 } })).toBe(true);
    expect(evaluate('output.status == 200', { output: { status: 'ok' } })).toBe(false);
  });

  it('keeps integers beyond 2^53 as text', () => {
    expect(evaluate('9007199254740991 + 1')).toBe('9007199254740992');
    expect(evaluate('inputs.big', { inputs: { big: '9007199254740993' } })).toBe('9007199254740993');
  });
});

describe('every function of the language', () => {
  it.each(celFunctions.map(({ signatures, example }) => [signatures[0], example]))(
    '%s: its example evaluates',
    (_, example) => {
      const given: Partial<Scope> = {
        inputs: { hosts: ['b', 'a'], sizes: [1, 2.5], name: 'x', settings: { a: 1 }, text: 't', version: 'v1' },
        operators: { read: { status: 'completed', attempt: 1, output: { stdout: '{"a": [1]}' } } },
        output: { stdout: 'version 1.2', body: { content: 'YQ==' } },
      };
      expect(() => evaluate(example ?? '', given)).not.toThrow();
    },
  );

  it.each<[string, Json]>([
    ["join([1, 'a', true], '-')", '1-a-true'],
    ["split('a,b', ',')", ['a', 'b']],
    ["format('%s %05.1f %x%%', ['a', 2.25, 255])", 'a 002.3 ff%'],
    ["json({'a': [1, null]})", '{"a":[1,null]}'],
    ['parseJson(\'{"n": 4}\').n + 1', 5],
    ["fromBase64(base64('grün'))", 'grün'],
    ["sha256('a')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ['range(2, 5)', [2, 3, 4]],
    ['sort([3, 1, 2.5])', [1, 2.5, 3]],
    ['sum([1, 2.5]) + sum([])', 3.5],
    ["regex.matches('v12', '^v[0-9]+$')", true],
    ["regex.replace('a1b2', '([0-9])', '<$1>')", 'a<1>b<2>'],
    ["regex.extract('version 1.2', 'version ([0-9.]+)')", '1.2'],
    ["timestamp('2026-01-01T00:00:00Z') + duration('90m')", '2026-01-01T01:30:00.000Z'],
    ["duration('90s')", '90s'],
    ['[1, 2, 3].filter(x, x > 1).map(x, x * 2)', [4, 6]],
  ])('%s is %j', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });
});

describe('an evaluation is bounded', () => {
  it.each([
    ["inputs.a.matches('^(a+)+$')", 'matches() is not available'],
    ['[1].map(a, [2].map(b, [3].map(c, a + b + c)))', 'nested more than 2 deep'],
    ['cel.bind(x, inputs.a, x + x)', 'cel.bind() is not available'],
    ['fetch(inputs.a)', 'There is no function fetch()'],
    ['inputs.a +', 'Unexpected'],
    [' ', 'The expression is empty'],
  ])('%s is refused', (source, message) => {
    expect(() => engine.parse(source)).toThrow(message);
  });

  it('a comprehension goes through at most 10,000 items, and a longer list can still be passed on', () => {
    const list = Array.from({ length: 10_001 }, (_, index) => `host-${index}`);
    expect(() => evaluate('inputs.list.filter(x, x != "")', { inputs: { list } })).toThrow('10001 items');
    expect(() => evaluate('range(10001)')).toThrow(ExpressionError);
    expect(evaluate('size(inputs.list)', { inputs: { list } })).toBe(10_001);
    expect(evaluate('inputs.list', { inputs: { list } })).toBe(list);
    expect(evaluate('split(inputs.text, "").map(x, x) == []', { inputs: { text: '' } })).toBe(true);
  });

  it('a pattern that backtracks elsewhere ends at once', () => {
    expect(evaluate("regex.matches(inputs.text, '^(a+)+$')", { inputs: { text: `${'a'.repeat(5_000)}!` } })).toBe(
      false,
    );
  });
});

describe('has()', () => {
  it.each<[string, Json]>([
    ['has(operators.gone.output)', false],
    ['has(operators.gone)', false],
    ['has(operators.a)', true],
    ['has(operators.a.output.deep.deeper)', false],
    ['has(inputs.text.length)', false],
    ['has(inputs.empty)', true],
    ['has(operators.gone.output) ? operators.gone.output : 1', 1],
  ])('%s is %j', (source, expected) => {
    const given: Partial<Scope> = {
      inputs: { text: 'x', empty: null },
      operators: { a: { status: 'completed', attempt: 1, output: {} } },
    };
    expect(evaluate(source, given)).toBe(expected);
  });
});

describe('only what is there is seen', () => {
  const members = [
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    'valueOf',
    'prototype',
    '__defineGetter__',
  ];

  it.each(members)('%s is not read through the prototype', (member) => {
    for (const path of [
      member,
      `inputs.${member}`,
      `inputs['${member}']`,
      `inputs.a.${member}`,
      `operators.${member}.output`,
    ]) {
      let value: Json | undefined;
      try {
        value = evaluate(path, { inputs: { a: {} } });
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
      expect(value).toBeUndefined();
    }
  });

  it('any own key is read as any other, whatever its name', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...members)), fc.jsonValue()),
        fc.oneof(fc.string(), fc.constantFrom(...members)),
        (object, key) => {
          const inputs: JsonObject = { object: object as JsonObject };
          const name = JSON.stringify(key);
          const seen = evaluate(`[${name} in inputs.object, has(inputs.object.x)]`, { inputs });
          expect(seen).toEqual([Object.hasOwn(object, key), Object.hasOwn(object, 'x')]);
        },
      ),
    );
  });

  it('what goes in comes out', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(evaluate('[inputs.value][0]', { inputs: { value: json } })).toEqual(json);
      }),
    );
  });
});

describe('a template', () => {
  it.each<[Json, Json]>([
    ['${{ inputs.hosts }}', ['a', 'b']],
    ['n=${{ inputs.n }} hosts=${{ inputs.hosts }}', 'n=7 hosts=["a","b"]'],
    ['$${{ inputs.n }}', '${{ inputs.n }}'],
    ["${{ {'a': {'b': '}}'}} }}", { a: { b: '}}' } }],
    [
      { list: [1, '${{ inputs.n }}'], text: 'plain' },
      { list: [1, 7], text: 'plain' },
    ],
    ['no expression', 'no expression'],
    ["${{ inputs['my-key'] }}", 'k'],
  ])('%j gives %j', (source, expected) => {
    expect(fill(source, { inputs: { n: 7, hosts: ['a', 'b'], 'my-key': 'k' } })).toEqual(expected);
  });

  it('gives secrets and sealed outputs as references, never as values', () => {
    expect(fill('${{ secrets.TOKEN }}')).toEqual({ $secret: 'TOKEN' });
    expect(fill('${{ secrets.deploy-token }}')).toEqual({ $secret: 'deploy-token' });
    expect(fill(`\${{ secrets['deploy-token'] }}`)).toEqual({ $secret: 'deploy-token' });
    expect(fill('Bearer ${{ secrets.TOKEN }}!')).toEqual({ $secret: { parts: ['Bearer ', { name: 'TOKEN' }, '!'] } });
    const operators = { a: { status: 'completed', attempt: 1, output: { key: { $secret: { sealed: 'abc' } } } } };
    expect(fill('${{ operators.a.output.key }}', { operators })).toEqual({ $secret: { sealed: 'abc' } });
    expect(fill('k=${{ operators.a.output.key }}', { operators })).toEqual({
      $secret: { parts: ['k=', { sealed: 'abc' }] },
    });
  });

  it('takes no reference to a secret from data', () => {
    const inputs = { forged: { $secret: 'TOKEN' }, deep: [{ a: { $secret: { parts: [{ name: 'TOKEN' }] } } }] };
    expect(() => fill('${{ inputs.forged }}', { inputs })).toThrow('$secret');
    expect(() => fill({ body: '${{ inputs.deep }}' }, { inputs })).toThrow('$secret');
    expect(() => fill('${{ [inputs.forged] }}', { inputs })).toThrow('$secret');
    expect(() => fill("${{ {'$secret': 'TOKEN'} }}", { inputs })).toThrow('$secret');
  });

  it('does not calculate with a secret', () => {
    expect(() => fill('${{ sha256(secrets.TOKEN) }}')).toThrow('A secret can only be written in as it is');
    expect(() => fill('${{ inputs.a + secrets.TOKEN }}')).toThrow('A secret can only be written in as it is');
  });
});

it('says which names an expression reads, as far as they are constant', () => {
  const reads = (source: string) => engine.parse(source).reads.map(({ root, path }) => [root, ...path].join('.'));
  expect(reads("operators.a.output['x'].y + operators['b-c'].output[inputs.n].z")).toEqual([
    'operators.a.output.x.y',
    'operators.b-c.output',
    'inputs.n',
  ]);
  expect(reads('inputs.list.map(inputs, inputs + other.x)')).toEqual(['inputs.list', 'other.x']);
});
