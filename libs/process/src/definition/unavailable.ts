/**
 * The parts of the language that later versions bring. Their place in the compiled form is there; a definition that
 * uses one is refused here and nowhere else, so that a line less makes it available.
 */
export const unavailableTypes: ReadonlySet<string> = new Set([
  'command',
  'job',
  'email',
  'render',
  'import-version',
  'artifacts',
  'deploy-record',
]);

/** Fields of any operator. */
export const unavailableFields: ReadonlySet<string> = new Set(['lock', 'window', 'callback']);

/** Fields of the definition. */
export const unavailableDefinitionFields: ReadonlySet<string> = new Set(['triggers']);

/** Fields within others, as they are written: `forEach: { agents }`. */
export const unavailableSubfields: Readonly<Record<string, readonly string[]>> = {
  forEach: ['agents'],
};

export const unavailableRemedy = 'It comes with a later version. Leave it out, or wait for that version.';
