import type { EventEmitter } from 'node:events';
import type { Keyring } from '@baton/security';
import { DataSource } from 'typeorm';
import { AuditRepository } from './audit/audit.repository.js';
import { DefinitionRepository } from './definitions/definition.repository.js';
import { AuditEntity } from './entities/audit.entity.js';
import { DefinitionEntity, DefinitionVersionEntity } from './entities/definition.entity.js';
import { EnvironmentEntity, EnvironmentEntryEntity } from './entities/environment.entity.js';
import { SettingEntity } from './entities/setting.entity.js';
import { TokenEntity } from './entities/token.entity.js';
import { EnvironmentRepository } from './environments/environment.repository.js';
import { Catalogue1763900000000 } from './migrations/1763900000000-catalogue.migration.js';
import { SettingCache } from './settings/setting.cache.js';
import { SettingRepository } from './settings/setting.repository.js';
import { TokenRepository } from './tokens/token.repository.js';

export interface CatalogueOptions {
  url: string;
  keyring: Keyring;
  /** Shown in pg_stat_activity. */
  application?: string;
  connections?: number;
  onError: (error: unknown) => void;
  now?: () => number;
}

/** What is not a stream of facts (design 0): opened once per service, over a pool of its own. */
export class Catalogue {
  readonly definitions: DefinitionRepository;
  readonly environments: EnvironmentRepository;
  readonly tokens: TokenRepository;
  readonly settingRows: SettingRepository;
  readonly settings: SettingCache;
  readonly audit: AuditRepository;

  private constructor(
    private readonly source: DataSource,
    options: CatalogueOptions,
  ) {
    this.definitions = new DefinitionRepository(source);
    this.environments = new EnvironmentRepository(source, options.keyring);
    this.tokens = new TokenRepository(source, 3000, options.now ?? Date.now);
    this.settingRows = new SettingRepository(source);
    this.settings = new SettingCache(this.settingRows, options.onError);
    this.audit = new AuditRepository(source);
  }

  /** Connects and, when the schema is there, begins to follow the settings. */
  static async open(options: CatalogueOptions): Promise<Catalogue> {
    const source = catalogueDataSource(options);
    await source.initialize();
    return new Catalogue(source, options);
  }

  /** Whether every migration that this release knows has run: services but intake wait for it. */
  async isMigrated(): Promise<boolean> {
    const [table]: { present: boolean }[] = await this.source.query(
      "select to_regclass('catalogue_migration') is not null as present",
    );
    if (!table?.present) return false;
    const rows: { name: string }[] = await this.source.query('select name from catalogue_migration');
    const done = new Set(rows.map((row) => row.name));
    return this.source.migrations.every((migration) => done.has(migration.name ?? migration.constructor.name));
  }

  async ping(): Promise<void> {
    await this.source.query('select 1');
  }

  async close(): Promise<void> {
    this.settings.stop();
    if (this.source.isInitialized) await this.source.destroy();
  }
}

/** Entities and migrations are classes: in a bundle, globs find nothing. */
export function catalogueDataSource(options: Omit<CatalogueOptions, 'keyring'>): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.application ?? 'baton-catalogue',
    entities: [
      AuditEntity,
      DefinitionEntity,
      DefinitionVersionEntity,
      EnvironmentEntity,
      EnvironmentEntryEntity,
      SettingEntity,
      TokenEntity,
    ],
    migrations: [Catalogue1763900000000],
    migrationsTableName: 'catalogue_migration',
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    poolSize: options.connections ?? 4,
    poolErrorHandler: options.onError,
    connectTimeoutMS: 5000,
    extra: {
      statement_timeout: 10_000,
      query_timeout: 12_000,
      idle_in_transaction_session_timeout: 10_000,
      // A session that ends in the very moment in which it is handed out: its next query fails; unheard, it would end the program.
      onConnect: (client: EventEmitter) => client.on('error', () => undefined),
    },
  });
}

/** Brings the catalogue's tables to this release. Run by the migrations runner, under its lock. */
export async function migrateCatalogue(options: Omit<CatalogueOptions, 'keyring'>): Promise<string[]> {
  const source = catalogueDataSource(options);
  await source.initialize();
  try {
    return (await source.runMigrations()).map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}
