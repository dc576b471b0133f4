import type { Environment } from '@baton/contracts';
import type { Keyring } from '@baton/security';
import { type DataSource, type EntityManager, In, MoreThan } from 'typeorm';
import { EnvironmentEntity, EnvironmentEntryEntity } from '../entities/environment.entity.js';
import type { EnvironmentChange, EnvironmentStore } from './environment.store.js';

type Kind = EnvironmentEntryEntity['kind'];

/** Environments in PostgreSQL. A sealed value is bound to its environment, kind and name: moved elsewhere it does not open. */
export class EnvironmentRepository implements EnvironmentStore {
  constructor(
    private readonly source: DataSource,
    private readonly keyring: Keyring,
  ) {}

  async put(name: string, change: EnvironmentChange): Promise<Environment> {
    await this.source.transaction(async (manager) => {
      await this.#putVariables(manager, name, change);
      for (const [entry, connection] of Object.entries(change.connections ?? {})) {
        const plain = connection === null ? null : connection.url;
        await this.#putEntry(manager, name, 'connection', entry, plain, connection?.type ?? null);
      }
      for (const [entry, secret] of Object.entries(change.secrets ?? {})) {
        await this.#putEntry(manager, name, 'secret', entry, secret, null);
      }
    });
    const stored = await this.find(name);
    if (!stored) throw new Error(`Expected environment ${name} to be there after it was put, but it is not.`);
    return stored;
  }

  async find(name: string): Promise<Environment | null> {
    const row = await this.source.getRepository(EnvironmentEntity).findOneBy({ name });
    return row ? ((await this.#views([row]))[0] ?? null) : null;
  }

  async list(after: string | undefined, limit: number): Promise<Environment[]> {
    const rows = await this.source.getRepository(EnvironmentEntity).find({
      ...(after === undefined ? {} : { where: { name: MoreThan(after) } }),
      order: { name: 'asc' },
      take: limit,
    });
    return this.#views(rows);
  }

  async names(limit: number): Promise<string[]> {
    const rows = await this.source
      .getRepository(EnvironmentEntity)
      .find({ select: { name: true }, order: { name: 'asc' }, take: limit });
    return rows.map((row) => row.name);
  }

  async connection(environment: string, name: string): Promise<{ type: string; url: string } | null> {
    const entry = await this.#entry(environment, 'connection', name);
    return entry ? { type: entry.type ?? 'postgresql', url: this.#unseal(entry) } : null;
  }

  async secret(environment: string, name: string): Promise<string | null> {
    const entry = await this.#entry(environment, 'secret', name);
    return entry ? this.#unseal(entry) : null;
  }

  #entry(environment: string, kind: Kind, name: string): Promise<EnvironmentEntryEntity | null> {
    return this.source.getRepository(EnvironmentEntryEntity).findOneBy({ environment, kind, name });
  }

  #unseal(entry: EnvironmentEntryEntity): string {
    return this.keyring.unseal(entry.sealed, context(entry.environment, entry.kind, entry.name));
  }

  async #putVariables(manager: EntityManager, name: string, change: EnvironmentChange): Promise<void> {
    const variables = change.variables === undefined ? null : JSON.stringify(change.variables);
    await manager.query(
      `insert into environment as e (name, variables) values ($1, coalesce($2::jsonb, '{}'))
       on conflict (name) do update set variables = coalesce($2::jsonb, e.variables), updated_at = now()`,
      [name, variables],
    );
  }

  async #putEntry(
    manager: EntityManager,
    environment: string,
    kind: Kind,
    name: string,
    plain: string | null,
    type: string | null,
  ): Promise<void> {
    const entries = manager.getRepository(EnvironmentEntryEntity);
    if (plain === null) {
      await entries.delete({ environment, kind, name });
      return;
    }
    const sealed = this.keyring.seal(plain, context(environment, kind, name));
    await entries.upsert({ environment, kind, name, type, sealed }, ['environment', 'kind', 'name']);
  }

  async #views(rows: EnvironmentEntity[]): Promise<Environment[]> {
    if (rows.length === 0) return [];
    const entries = await this.source.getRepository(EnvironmentEntryEntity).find({
      select: { environment: true, kind: true, name: true, type: true },
      where: { environment: In(rows.map((row) => row.name)) },
      order: { name: 'asc' },
    });
    return rows.map((row) => {
      const own = entries.filter((entry) => entry.environment === row.name);
      const connections = own.filter((entry) => entry.kind === 'connection');
      return {
        name: row.name,
        variables: row.variables,
        connections: Object.fromEntries(connections.map((entry) => [entry.name, { type: entry.type ?? 'postgresql' }])),
        secrets: own.filter((entry) => entry.kind === 'secret').map((entry) => entry.name),
        updatedAt: row.updatedAt.toISOString(),
      };
    });
  }
}

function context(environment: string, kind: Kind, name: string): string {
  return `environment/${environment}/${kind}/${name}`;
}
