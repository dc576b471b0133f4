import type { DeadLetter, TopicRecord } from '@baton/bus';
import { requestEventType } from '@baton/contracts';
import { newApiToken } from '@baton/security';
import { describe, expect, it } from 'vitest';
import type { Accepted } from '../request.acceptor.js';
import { RequestConsumer, type RequestConsumerOptions } from './request.consumer.js';
import { readRequest } from './request.event.js';
import { TokenMask } from './token.mask.js';

const { token } = newApiToken();
const base = { ce_specversion: '1.0', ce_id: 'w-1', ce_source: '/shop', ce_type: requestEventType };

function record(headers: Record<string, string>, value: string | Buffer | null): TopicRecord {
  const bytes = value === null ? null : Buffer.from(value);
  const timestamp = '2026-11-23T10:00:00.000Z';
  return {
    topic: 'baton.request',
    partition: 1,
    offset: '42',
    timestamp,
    key: Buffer.from('k'),
    value: bytes,
    headers,
  };
}
const structured = (event: object | string) =>
  record(
    { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    typeof event === 'string' ? event : JSON.stringify(event),
  );
const event = { specversion: '1.0', id: 'w-1', source: '/shop', type: requestEventType };

describe('a request event', () => {
  it('is read in binary mode', () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { ...base, ce_batontoken: token, 'Content-Type': 'application/json', traceparent: trace };
    expect(readRequest(record(headers, '{"definition":"hello","inputs":{"n":12345678901234567890}}'))).toEqual({
      token,
      event: {
        id: 'w-1',
        source: '/shop',
        traceparent: trace,
        request: {
          definition: 'hello',
          inputs: { n: '12345678901234567890' },
          priority: 5,
          labels: {},
        },
      },
    });
  });

  it('is read in structured mode, its data also in base64', () => {
    const data = { definition: 'hello', inputs: { who: 'x' } };
    const plain = readRequest(structured({ ...event, batontoken: token, traceparent: '00-ab-cd-01', data }));
    const encoded = Buffer.from(JSON.stringify(data)).toString('base64');
    const inBase64 = readRequest(structured({ ...event, batontoken: token, data_base64: encoded }));
    expect(plain).toMatchObject({ token, event: { traceparent: '00-ab-cd-01', request: data } });
    expect(inBase64).toMatchObject({ event: { request: data } });
  });

  it.each([
    ['no CloudEvent at all', record({}, '{"definition":"hello"}'), 'bad-request', /no CloudEvent/],
    ['no JSON', record(base, '{"definition":'), 'bad-request', /not JSON/],
    ['no value', record(base, null), 'bad-request', /empty/],
    ['no text', record(base, Buffer.from([0xff, 0xfe, 0x00])), 'bad-request', /UTF-8/],
    ['no id', record({ ...base, ce_id: '' }, '{}'), 'invalid', /id/],
    ['another type', record({ ...base, ce_type: 'other.v1' }, '{}'), 'invalid', /type/],
    ['another version', record({ ...base, ce_specversion: '0.3' }, '{}'), 'invalid', /specversion/],
    ['other data', record({ ...base, 'content-type': 'text/plain' }, 'x'), 'invalid', /datacontenttype/],
    ['no definition', record(base, '{"inputs":{}}'), 'invalid', /definition/],
    ['a forged secret', record(base, '{"definition":"a","inputs":{"x":{"$secret":"n"}}}'), 'invalid', /\$secret/],
    ['a list as an event', structured('[1]'), 'bad-request', /no JSON object/],
    ['data that is no object', structured({ ...event, data: 'x' }), 'invalid', /./],
    [
      'a batch',
      record({ 'content-type': 'application/cloudevents-batch+json' }, '[]'),
      'bad-request',
      /one event a record/,
    ],
  ])('with %s is refused, with the problem', (_, given, code, message) => {
    const read = readRequest(given);
    if (!('problem' in read)) throw new Error(JSON.stringify(read));
    expect(read.problem.code).toBe(code);
    expect(read.problem.detail).toMatch(message);
  });
});

describe('the mask of tokens', () => {
  const other = newApiToken().token;
  it.each([
    ['its header', record({ ce_batontoken: token, CE_BatonToken: other, x: `a ${other} b` }, '{}'), token],
    ['the event', structured({ ...event, batontoken: token, data: {} }), token],
    ['an event that is no JSON', structured(`{"batontoken": "${token}", "data": `), null],
    ['an event cut off within it', structured('{"batontoken":"secret-without-a-form'), null],
    ['escaped letters', structured(`{"baton\\u0074oken":"secret-without-a-form","x":"${token}"}`), null],
    ['escaped letters of what is no JSON', structured(`{"x":"\\u0062\\u0074_secret-without-a-form`), 'without-a-form'],
    ['a token without the form of one', structured({ ...event, batontoken: 'secret-without-a-form' }), null],
    ['the key', { ...record({}, null), key: Buffer.from(token) }, null],
  ])('hides it in %s', (_, given, known) => {
    const shown = new TokenMask(known).record(given);
    const all = JSON.stringify([String(shown.key), String(shown.value), shown.headers]);
    for (const secret of [token, other, token.slice(20), 'without-a-form']) expect(all).not.toContain(secret);
  });

  it('leaves bytes as they are that hold none', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80]);
    expect(new TokenMask(token).record(record({}, bytes)).value).toEqual(bytes);
  });
});

describe('the consumer of requests', () => {
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  function consumer(accept: () => Promise<Accepted>, change: Partial<RequestConsumerOptions> = {}) {
    const letters: DeadLetter[] = [];
    const taker = new RequestConsumer({
      requests: { acceptOne: accept },
      tokens: { verify: async () => ({ refused: 'expired' }) },
      account: () => ({ name: 'shop', role: 'operator', groups: [] }),
      deadLetters: {
        put: async (letter) => {
          letters.push(letter);
        },
      },
      logger: quiet,
      meter: { count: () => undefined },
      ...change,
    });
    return { taker, letters };
  }
  const good = record(base, '{"definition":"hello"}');
  const accepted = async (): Promise<Accepted> => ({ accepted: { id: 'c1-1', status: 'requested' } });

  it('waits for a database that is away, and makes no dead letter of it (3)', async () => {
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const { taker, letters } = consumer(() => Promise.reject(away));
    await expect(taker.take([good])).rejects.toBe(away);
    expect(letters).toEqual([]);
  });

  it('has a record again whose dead letter was not acknowledged (2)', async () => {
    const hung = new Error('Kafka did not acknowledge it');
    const { taker } = consumer(accepted, { deadLetters: { put: () => Promise.reject(hung) } });
    await expect(taker.take([record(base, 'x')])).rejects.toBe(hung);
  });

  it('gives up on a request that meets a fault of its own, after some attempts, and goes on (2)', async () => {
    let tries = 0;
    const { taker, letters } = consumer(async () => {
      tries += 1;
      throw new TypeError('a bug');
    });
    await taker.take([good]);
    expect([tries, letters.length]).toEqual([3, 1]);
  });

  it('refuses who is not known, whose token is over, and who may not; the account holds for those without a token (4)', async () => {
    const nobody = consumer(accepted, { account: () => null });
    await nobody.taker.take([good]);
    expect(nobody.letters[0]?.reason).toMatch(/no token.*no account/);
    const over = consumer(accepted);
    await over.taker.take([record({ ...base, ce_batontoken: token }, '{"definition":"hello"}')]);
    expect(over.letters[0]?.reason).toMatch(/the token is expired/);
    const viewer = consumer(accepted, { account: () => ({ name: 'v', role: 'viewer', groups: [] }) });
    await viewer.taker.take([good]);
    expect(viewer.letters[0]?.reason).toMatch(/takes the role operator; v has viewer/);
    const account = consumer(accepted);
    await account.taker.take([good]);
    expect(account.letters).toEqual([]);
  });

  it('writes a token nowhere (5)', async () => {
    const told: string[] = [];
    const tell = (...all: unknown[]) => void told.push(JSON.stringify(all));
    const { taker, letters } = consumer(() => Promise.reject(new Error(`it broke at ${token}`)), {
      tokens: { verify: async () => ({ principal: { id: 'a', role: 'admin', groups: [] } }) },
      logger: { debug: tell, info: tell, warn: tell, error: tell },
    });
    await taker.take([
      record({ ...base, ce_batontoken: token }, '{"definition":"hello"}'),
      record({ ...base, ce_batontoken: token, ce_id: '' }, token),
      structured({ ...event, batontoken: token, data: { definition: token } }),
    ]);
    expect(letters.length).toBe(3);
    const shown = JSON.stringify(letters.map((letter) => [letter, String(letter.original?.value)])) + told.join();
    expect(shown).not.toContain(token);
  });
});
