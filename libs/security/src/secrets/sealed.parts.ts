import type { Keyring } from './keyring.js';

/** Json, spelled here so that security needs no other library. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** How a sensitive part of an output stands in the log: sealed, and known as such. */
export interface SealedPart {
  $sealed: string;
}

export function isSealed(value: unknown): value is SealedPart {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 1 &&
    typeof (value as { $sealed?: unknown }).$sealed === 'string'
  );
}

/**
 * Replaces the parts of an output that the definition calls `sensitive` (`token`, `user.password`, `rows.*.ssn`, an
 * empty path: all of it). A path that leads nowhere is no fault: the output need not have the part.
 */
export function sealParts(output: Json, paths: readonly string[], keyring: Keyring, context: string): Json {
  let sealed = output;
  for (const path of paths) {
    const steps = path.split('.').filter((step) => step !== '' && step !== '$');
    sealed = at(sealed, steps, (part) =>
      isSealed(part) ? part : { $sealed: keyring.seal(JSON.stringify(part), context) },
    );
  }
  return sealed;
}

/** Opens every sealed part below a value, for use in memory only. */
export function unsealParts(value: Json, keyring: Keyring, context: string): Json {
  if (isSealed(value)) return JSON.parse(keyring.unseal(value.$sealed, context)) as Json;
  if (Array.isArray(value)) return value.map((part) => unsealParts(part, keyring, context));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unsealParts(part, keyring, context)]));
  return value;
}

function at(value: Json, steps: readonly string[], change: (part: Json) => Json): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return change(value);
  if (typeof value !== 'object' || value === null || isSealed(value)) return value;
  if (Array.isArray(value))
    return value.map((part, index) => (step === '*' || step === String(index) ? at(part, rest, change) : part));
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, step === '*' || step === key ? at(part, rest, change) : part]),
  );
}
