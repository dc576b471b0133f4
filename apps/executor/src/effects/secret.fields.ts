import type { Json, SecretReference } from '@baton/process';
import { Masker } from '@baton/security';

/** Secrets and connections as the executor sees them at the moment of use (libs/catalogue, libs/security). */
export interface EffectSecrets {
  secret(environment: string | null, name: string): Promise<string>;
  connection(environment: string | null, name: string): Promise<{ type: string; url: string }>;
  seal(plain: string): string;
  open(sealed: string): string;
}

/** The fields with every secret in its place. The result never leaves the memory of this process. */
export async function resolveSecrets(
  fields: Record<string, Json>,
  environment: string | null,
  secrets: EffectSecrets,
): Promise<Record<string, Json>> {
  const result: Record<string, Json> = {};
  // Only what is an object can name a secret, and only that is waited for.
  for (const [name, value] of Object.entries(fields))
    result[name] =
      typeof value !== 'object' || value === null ? value : await resolveValue(value, environment, secrets);
  return result;
}

async function resolveValue(value: Json, environment: string | null, secrets: EffectSecrets): Promise<Json> {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) items.push(await resolveValue(item, environment, secrets));
    return items;
  }
  const reference = secretReference(value);
  if (reference !== null) return resolveReference(reference, environment, secrets);
  return resolveSecrets(value, environment, secrets);
}

async function resolveReference(
  reference: SecretReference['$secret'],
  environment: string | null,
  secrets: EffectSecrets,
): Promise<Json> {
  if (typeof reference === 'string') return secrets.secret(environment, reference);
  if ('sealed' in reference) return JSON.parse(secrets.open(reference.sealed)) as Json;
  let text = '';
  for (const part of reference.parts) {
    if (typeof part === 'string') text += part;
    else if ('name' in part) text += await secrets.secret(environment, part.name);
    else {
      const value = JSON.parse(secrets.open(part.sealed)) as Json;
      text += typeof value === 'string' ? value : JSON.stringify(value);
    }
  }
  return text;
}

function secretReference(value: { [key: string]: Json }): SecretReference['$secret'] | null {
  const keys = Object.keys(value);
  if (keys.length !== 1 || keys[0] !== '$secret') return null;
  return value['$secret'] as SecretReference['$secret'];
}

/** Replaces the parts at these paths (`token`, `body.token`, `rows.*.password`) by sealed ones. */
export function sealPaths(output: Json, paths: readonly string[], secrets: Pick<EffectSecrets, 'seal'>): Json {
  let result = output;
  for (const path of paths) {
    const names = path.replaceAll(/\[(\*|\d+)?\]/g, (_, index: string | undefined) => `.${index ?? '*'}`).split('.');
    result = sealAt(
      result,
      names.filter((name) => name !== ''),
      secrets,
    );
  }
  return result;
}

function sealAt(value: Json, names: readonly string[], secrets: Pick<EffectSecrets, 'seal'>): Json {
  const [name, ...rest] = names;
  if (name === undefined) {
    const sealed: SecretReference = { $secret: { sealed: secrets.seal(JSON.stringify(value)) } };
    return sealed as { $secret: { sealed: string } };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, index) => (name === '*' || name === String(index) ? sealAt(item, rest, secrets) : item));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      name === '*' || name === key ? sealAt(item, rest, secrets) : item,
    ]),
  );
}

/** The secrets that one attempt was given: what it reports must not show them. */
export class SecretsInUse implements EffectSecrets {
  private readonly values = new Set<string>();

  constructor(private readonly secrets: EffectSecrets) {}

  async secret(environment: string | null, name: string): Promise<string> {
    return this.note(await this.secrets.secret(environment, name));
  }

  async connection(environment: string | null, name: string): Promise<{ type: string; url: string }> {
    const connection = await this.secrets.connection(environment, name);
    const password = URL.parse(connection.url)?.password ?? '';
    if (password !== '') this.note(decodeURIComponent(password));
    return connection;
  }

  seal(plain: string): string {
    return this.secrets.seal(plain);
  }

  open(sealed: string): string {
    const plain = this.secrets.open(sealed);
    const value = JSON.parse(plain) as Json;
    if (typeof value === 'string') this.note(value);
    return plain;
  }

  masker(): Masker {
    return new Masker(this.values);
  }

  private note(value: string): string {
    this.values.add(value);
    return value;
  }
}
