import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metricsReference } from './metrics.reference.js';

/** `UPDATE_REFERENCE=1 npx vitest run libs/telemetry/src/metrics` writes it anew. */
it('docs/reference/metrics.md says what is measured', () => {
  const file = new URL('../../../../docs/reference/metrics.md', import.meta.url);
  const made = metricsReference();
  if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(file, made);
  expect(readFileSync(file, 'utf8')).toBe(made);
});
