import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CannotUnseal, Keyring } from './keyring.js';
import { Masker } from './masker.js';

const key = () => randomBytes(32).toString('base64');

describe('sealed values', () => {
  it('open to what was sealed, and never show it', () => {
    const ring = new Keyring([key()]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), (text) => {
        const sealed = ring.seal(text, 'a');
        expect(ring.unseal(sealed, 'a')).toBe(text.toWellFormed());
        expect(sealed).not.toContain(text);
      }),
    );
  });

  it('do not open when one character was changed, or in another place', () => {
    const ring = new Keyring([key()]);
    const sealed = ring.seal('secret', 'environment production');
    expect(() => ring.unseal(sealed, 'environment staging')).toThrow(CannotUnseal);
    for (let index = sealed.lastIndexOf(':') + 1; index < sealed.length - 1; index++) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      expect(() => ring.unseal(changed, 'environment production')).toThrow(CannotUnseal);
    }
    expect(() => ring.unseal('plain text', 'x')).toThrow(CannotUnseal);
  });

  it('open under an old key after a rotation, and are sealed anew under the current one', () => {
    const [old, fresh] = [key(), key()];
    const sealed = new Keyring([old]).seal('secret', 'c');
    const both = Keyring.fromText(`${fresh},${old}`);
    expect(both.unseal(sealed, 'c')).toBe('secret');
    const again = both.reseal(sealed, 'c');
    expect(again).not.toBeNull();
    expect(new Keyring([fresh]).unseal(again ?? '', 'c')).toBe('secret');
    expect(both.reseal(again ?? '', 'c')).toBeNull();
    expect(() => new Keyring([fresh]).unseal(sealed, 'c')).toThrow(/add the old key/);
  });

  it('need a key of 32 bytes', () => {
    expect(() => Keyring.fromText('c2hvcnQ=')).toThrow(/5 bytes instead of 32/);
    expect(() => Keyring.fromText(undefined)).toThrow(/BATON_SECRET_KEY is empty/);
  });
});

describe('masking', () => {
  const secret = 'p@ss w/rd"+x=ü';

  it.each([
    ['as it is', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    ['lower-case percent-encoded', encodeURIComponent(secret).toLowerCase()],
    ['form-encoded', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['JSON-escaped', JSON.stringify({ a: secret })],
    ['hexadecimal', Buffer.from(secret).toString('hex')],
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64url', Buffer.from(secret).toString('base64url')],
  ])('hides a secret %s', (_name, text) => {
    const masked = new Masker([secret]).text(`before ${text} after`);
    expect(masked).toMatch(/^before .*\*\*\*.* after$/);
    expect(masked).not.toContain(text.replace(/=+$/, ''));
  });

  it('hides a secret in the middle of longer base64, as basic authorization has it', () => {
    const token = 'correct-horse-battery';
    for (const user of ['u', 'us', 'use', 'user']) {
      const header = Buffer.from(`${user}:${token}:tail`).toString('base64');
      const masked = new Masker([token]).text(`Basic ${header}`);
      expect(masked).toContain('***');
      const rest = masked
        .replace('Basic ', '')
        .split('***')
        .map((part) => Buffer.from(part, 'base64').toString());
      expect(rest.join('')).not.toContain(token.slice(1, -1));
    }
  });

  it('hides a secret that is cut between chunks, wherever the cut is', () => {
    const text = `start ${secret} middle ${secret}${secret} end`;
    const whole = new Masker([secret]).text(text);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const stream = new Masker([secret, 'another-secret']).stream();
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        let out = '';
        for (let i = 1; i < edges.length; i++) out += stream.push(text.slice(edges[i - 1], edges[i]));
        expect(out + stream.end()).toBe(whole);
      }),
    );
  });

  it('leaves everything else as it is, keys and numbers included', () => {
    const masker = new Masker(['12345678', '', 'ab']);
    expect(masker.json({ ab: 'ab', n: 12, secret: 12345678, list: ['x12345678y', null, true] })).toEqual({
      ab: 'ab',
      n: 12,
      secret: '***',
      list: ['x***y', null, true],
    });
    expect(new Masker([]).text('text')).toBe('text');
  });
});
