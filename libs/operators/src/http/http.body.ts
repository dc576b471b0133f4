import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Json } from '@baton/process';
import { parseJson, storableText } from '../shared/storable.js';

/** The body as the output holds it: JSON parsed, text as text, all else as `{ base64 }`. */
export function bodyOf(body: Buffer, headers: Record<string, string | string[]>, maxBytes: number): Json {
  const decoded = decompress(body, one(headers['content-encoding']) ?? '', maxBytes);
  if (decoded.length === 0) return null;
  const type = (one(headers['content-type']) ?? '').toLowerCase();
  const charset = /charset=["']?([^\s;"']+)/.exec(type)?.[1] ?? 'utf-8';
  const text = decode(decoded, charset);
  if (text === null) return { base64: decoded.toString('base64') };
  if (/^[^;]*[/+]json\b/.test(type)) {
    const parsed = parseJson(text);
    if (parsed !== undefined) return parsed;
  }
  return storableText(text);
}

export function headersOf(headers: Record<string, string | string[]>): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.map(storableText) : storableText(value),
    ]),
  );
}

function decompress(body: Buffer, encoding: string, maxOutputLength: number): Buffer {
  switch (encoding.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(body, { maxOutputLength });
    case 'deflate':
      return inflateSync(body, { maxOutputLength });
    case 'br':
      return brotliDecompressSync(body, { maxOutputLength });
    case 'zstd':
      return zstdDecompressSync(body, { maxOutputLength });
    default:
      return body;
  }
}

function decode(bytes: Buffer, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return null; // an unknown charset, or bytes that are no text
  }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
