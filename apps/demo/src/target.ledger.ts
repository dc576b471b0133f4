import { readFileSync } from 'node:fs';
import type { LedgerEntry } from '@baton/process';
import type { EffectLine } from './target.service.js';

/** What the world saw, as the audit reads it. A GET changes nothing and is no effect. */
export function readLedger(file: string): LedgerEntry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EffectLine)
    .filter((line) => line.method !== 'GET')
    .map(({ attempt, key, at }) => ({ ...operatorOf(key), attempt, key, at }));
}

/** process:path#iteration.round */
function operatorOf(key: string): { process: string; path: string } {
  const parts = /^([^:]+):(.+)#\d+\.\d+$/.exec(key);
  if (!parts) throw new Error(`An effect came without a key that names its operator: ${JSON.stringify(key)}`);
  return { process: parts[1] ?? '', path: parts[2] ?? '' };
}
