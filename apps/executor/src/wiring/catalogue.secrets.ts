import type { EnvironmentStore } from '@baton/catalogue';
import type { Keyring } from '@baton/security';
import type { EffectSecrets } from '../effects/secret.fields.js';

const sealContext = 'output';

/** A known failure: nothing was sent. */
export class NotInEnvironment extends Error {
  override name = 'NotInEnvironment';
  constructor(
    readonly code: 'unknown-connection' | 'unknown-secret',
    message: string,
  ) {
    super(message);
  }
}

/** Secrets and connections of the catalogue's environments, opened at the moment of use. */
export class CatalogueSecrets implements EffectSecrets {
  constructor(
    private readonly environments: Pick<EnvironmentStore, 'connection' | 'secret'>,
    private readonly keyring: Keyring,
  ) {}

  async secret(environment: string | null, name: string): Promise<string> {
    const value = environment === null ? null : await this.environments.secret(environment, name);
    if (value !== null) return value;
    throw new NotInEnvironment('unknown-secret', missing('secret', environment, name));
  }

  async connection(environment: string | null, name: string): Promise<{ type: string; url: string }> {
    const value = environment === null ? null : await this.environments.connection(environment, name);
    if (value !== null) return value;
    throw new NotInEnvironment('unknown-connection', missing('connection', environment, name));
  }

  seal(plain: string): string {
    return this.keyring.seal(plain, sealContext);
  }

  open(sealed: string): string {
    return this.keyring.unseal(sealed, sealContext);
  }
}

function missing(kind: string, environment: string | null, name: string): string {
  return environment === null
    ? `the process has no environment, so there is no ${kind} ${name}; request it with an environment`
    : `the environment ${environment} has no ${kind} ${name}; add it: PUT /v1/environments/${environment}`;
}
