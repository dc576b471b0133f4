import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * Seals values for the log and the catalogue: AES-256-GCM under a data key of the message's own, which is wrapped by the
 * key-encrypting key. Form: `baton:1:KEYID:WRAPPED:DATA` (base64url, each part with its IV and tag). What is sealed is bound to its purpose
 * (`context`): moved to another place it does not open.
 *
 * Rotation: the first key seals, all of them open. `reseal` says whether a value stands under an older key.
 */
export class Keyring {
  private readonly keys = new Map<string, Buffer>();
  readonly current: string;

  /** Keys as base64 of 32 bytes each, the current one first. */
  constructor(keys: readonly string[]) {
    if (keys.length === 0)
      throw new Error('BATON_SECRET_KEY is empty: give 32 random bytes in base64 (openssl rand -base64 32)');
    let current: string | undefined;
    for (const [index, text] of keys.entries()) {
      const key = Buffer.from(text.trim(), 'base64');
      if (key.length !== 32)
        throw new Error(
          `BATON_SECRET_KEY${index > 0 ? ` (key ${index + 1})` : ''} has ${key.length} bytes instead of 32: make one with openssl rand -base64 32`,
        );
      const id = createHash('sha256').update('baton key id').update(key).digest('base64url').slice(0, 8);
      this.keys.set(id, key);
      current ??= id;
    }
    this.current = current ?? '';
    this.selfTest();
  }

  /** `KEY` or `NEW,OLD,…`. */
  static fromText(text: string | undefined): Keyring {
    return new Keyring((text ?? '').split(/[\s,]+/).filter((part) => part !== ''));
  }

  seal(plain: string, context: string): string {
    const dataKey = randomBytes(32);
    const wrapped = encrypt(this.key(this.current), dataKey, `key ${context}`);
    const data = encrypt(dataKey, Buffer.from(plain, 'utf8'), context);
    return ['baton', '1', this.current, wrapped, data].join(':');
  }

  unseal(sealed: string, context: string): string {
    const [mark, version, id, wrapped, data, ...rest] = sealed.split(':');
    if (mark !== 'baton' || version !== '1' || !id || !wrapped || !data || rest.length > 0)
      throw new CannotUnseal('it is not a sealed value of Baton');
    const key = this.keys.get(id);
    if (!key)
      throw new CannotUnseal(
        `it was sealed under the key ${id}, which BATON_SECRET_KEY does not hold; add the old key after the current one`,
      );
    return decrypt(decrypt(key, wrapped, `key ${context}`), data, context).toString('utf8');
  }

  /** The same value under the current key; null when it stands under it already. */
  reseal(sealed: string, context: string): string | null {
    return sealed.split(':')[2] === this.current ? null : this.seal(this.unseal(sealed, context), context);
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key) throw new Error(`No key ${id}`);
    return key;
  }

  /** A mis-wired cipher would write secrets in the clear and nobody would notice: prove at the start that it does not. */
  private selfTest(): void {
    const canary = 'baton-self-test';
    const sealed = this.seal(canary, 'self-test');
    const other = this.seal(canary, 'self-test');
    if (sealed.includes(canary) || sealed === other || this.unseal(sealed, 'self-test') !== canary)
      throw new Error('Sealing secrets does not work on this machine: the self-test of the cipher failed');
  }
}

export class CannotUnseal extends Error {
  override name = 'CannotUnseal';
  constructor(reason: string) {
    super(`A sealed value cannot be opened: ${reason}`);
  }
}

function encrypt(key: Buffer, plain: Buffer, context: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context, 'utf8'));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64url');
}

function decrypt(key: Buffer, text: string, context: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < 28) throw new CannotUnseal('it is cut short');
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(context, 'utf8'))
    .setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]);
  } catch {
    throw new CannotUnseal('it was changed, or belongs to another place');
  }
}
