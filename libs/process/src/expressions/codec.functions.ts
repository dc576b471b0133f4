import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Json } from '../json.types.js';
import type { CelFunction } from './cel-function.types.js';
import { bytesToBase64, fromCel, toCel } from './cel-value.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const codecFunctions: readonly CelFunction[] = [
  {
    signatures: ['json(dyn): string'],
    summary: 'the value as JSON text',
    example: 'json(inputs.settings)',
    handler: (value: unknown) => JSON.stringify(fromCel(value)),
  },
  {
    signatures: ['parseJson(string): dyn'],
    summary: 'the value that the JSON text stands for',
    example: 'parseJson(operators.read.output.stdout)',
    handler: (text: string) => toCel(JSON.parse(text) as Json),
  },
  {
    signatures: ['base64(string): string', 'base64(bytes): string'],
    summary: 'the text, as UTF-8, in base64',
    example: "base64('user:password')",
    handler: (value: string | Uint8Array) => bytesToBase64(typeof value === 'string' ? encoder.encode(value) : value),
  },
  {
    signatures: ['fromBase64(string): string'],
    summary: 'the UTF-8 text that the base64 stands for',
    example: 'fromBase64(output.body.content)',
    handler: (text: string) => decoder.decode(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0))),
  },
  {
    signatures: ['sha256(string): string', 'sha256(bytes): string'],
    summary: 'the SHA-256 of the text, as UTF-8, in hexadecimal',
    example: 'sha256(inputs.text)',
    handler: (value: string | Uint8Array) =>
      bytesToHex(sha256(typeof value === 'string' ? encoder.encode(value) : value)),
  },
];
