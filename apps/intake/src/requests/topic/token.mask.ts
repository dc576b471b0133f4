import type { OriginalRecord, TopicRecord } from '@baton/bus';
import { requestTokenExtension } from '@baton/contracts';

const mask = '***';
const anyToken = /\bbt_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}/g;
/** As a member of a structured event, also where the rest is no JSON. */
const member = new RegExp(`("${requestTokenExtension}"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi');

/**
 * A record as it may be told to others: without the token that it brought, wherever that stands, and without anything
 * that has the form of one.
 */
export class TokenMask {
  constructor(private readonly token: string | null) {}

  text(text: string): string {
    const known = this.token === null || this.token === '' ? text : text.replaceAll(this.token, mask);
    return known.replace(anyToken, mask);
  }

  record({ key, value, headers }: Pick<TopicRecord, 'key' | 'value' | 'headers'>): OriginalRecord {
    const shown = Object.entries(headers).map(([name, text]) => [
      this.text(name),
      name.toLowerCase() === `ce_${requestTokenExtension}` ? mask : this.text(text),
    ]);
    return {
      key: key === null ? null : this.text(key.toString('utf8')),
      value: value === null ? null : this.#value(value),
      headers: Object.fromEntries(shown),
    };
  }

  /** Bytes that hold no token stay as they are. */
  #value(value: Buffer): Buffer | string {
    const text = value.toString('utf8');
    const shown = this.text(withoutMember(text));
    return shown === text ? value : shown;
  }
}

function withoutMember(text: string): string {
  const written = text.replace(member, `$1"${mask}"`);
  // Letters of the name or of the token may be written as escapes: then only what was parsed can be trusted.
  return /\\u/i.test(text) ? parsedWithout(written) : written;
}

function parsedWithout(text: string): string {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text.replace(/\\u00[2-7][0-9a-f]/gi, mask);
    throw error;
  }
  return JSON.stringify(event, (name, value: unknown) => {
    if (name.toLowerCase() === requestTokenExtension) return mask;
    return typeof value === 'string' ? value.replace(anyToken, mask) : value;
  });
}
