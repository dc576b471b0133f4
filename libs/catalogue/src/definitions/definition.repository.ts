import { createHash } from 'node:crypto';
import { type DataSource, LessThanOrEqual } from 'typeorm';
import { DefinitionVersionEntity } from '../entities/definition.entity.js';
import {
  type DefinitionStore,
  type DefinitionToPublish,
  type DefinitionVersion,
  type DefinitionVersionItem,
  fullName,
} from './definition.store.js';
import { publishDefinition } from './publish-definition.sql.js';

/**
 * Job: definitions in PostgreSQL. Versions are immutable, so those that were read once are kept in memory.
 * Invariants:
 * 1. Two that publish the same changed text at once get the same version; two texts get two versions, none is lost.
 * 2. A version's text never changes.
 */
export class DefinitionRepository implements DefinitionStore {
  readonly #kept = new Map<string, DefinitionVersion>();

  constructor(
    private readonly source: DataSource,
    private readonly keepAtMost = 500,
  ) {}

  async publish(definition: DefinitionToPublish): Promise<{ version: number; digest: string; created: boolean }> {
    const name = fullName(definition.name);
    const textDigest = createHash('sha256').update(definition.text, 'utf8').digest('hex');
    const { text, digest, summary, by } = definition;
    const parameters = [name, textDigest, digest, text, JSON.stringify(summary), by];
    const created: { version: number }[] = await this.source.query(publishDefinition, parameters);
    if (created[0]) return { version: created[0].version, digest, created: true };
    const current = await this.find(name);
    if (!current) throw new Error(`Expected ${name} to have a version after publishing it, but it has none.`);
    return { version: current.version, digest: current.digest, created: false };
  }

  async find(name: string, version?: number): Promise<DefinitionVersion | null> {
    const full = fullName(name);
    const wanted = version ?? (await this.#newest(full));
    if (wanted === null) return null;
    const kept = this.#kept.get(key(full, wanted));
    if (kept) return kept;
    const row = await this.#versions().findOne({ where: { name: full, version: wanted } });
    return row ? this.#keep(view(row)) : null;
  }

  /** The number alone: asked each time, so it is by the primary key and past TypeORM, which takes ten times as long for it. */
  async #newest(name: string): Promise<number | null> {
    const rows: { version: number }[] = await this.source.query(
      'select latest_version as version from definition where name = $1',
      [name],
    );
    return rows[0]?.version ?? null;
  }

  async findPublishedBy(name: string, time: string): Promise<DefinitionVersion | null> {
    const row = await this.#versions().findOne({
      where: { name: fullName(name), publishedAt: LessThanOrEqual(new Date(time)) },
      order: { version: 'desc' },
    });
    return row ? this.#keep(view(row)) : null;
  }

  async list(after: string | undefined, limit: number): Promise<DefinitionVersionItem[]> {
    const query = this.#items()
      .innerJoin('definition', 'd', 'd.name = v.name and d.latest_version = v.version')
      .orderBy('v.name')
      .limit(limit);
    if (after !== undefined) query.where('v.name > :after', { after });
    return (await query.getMany()).map(item);
  }

  async versions(name: string, before: number | undefined, limit: number): Promise<DefinitionVersionItem[]> {
    const query = this.#items()
      .where('v.name = :name', { name: fullName(name) })
      .orderBy('v.version', 'DESC')
      .limit(limit);
    if (before !== undefined) query.andWhere('v.version < :before', { before });
    return (await query.getMany()).map(item);
  }

  async names(limit: number): Promise<string[]> {
    const rows: { name: string }[] = await this.source.query('select name from definition order by name limit $1', [
      limit,
    ]);
    return rows.map((row) => row.name);
  }

  #versions() {
    return this.source.getRepository(DefinitionVersionEntity);
  }

  #items() {
    const columns = ['v.name', 'v.version', 'v.digest', 'v.publishedAt', 'v.publishedBy'];
    return this.#versions().createQueryBuilder('v').select(columns);
  }

  #keep(version: DefinitionVersion): DefinitionVersion {
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= this.keepAtMost && !oldest.done) this.#kept.delete(oldest.value);
    this.#kept.set(key(version.name, version.version), version);
    return version;
  }
}

function key(name: string, version: number): string {
  return `${name}@${version}`;
}

function item(row: DefinitionVersionEntity): DefinitionVersionItem {
  const { name, version, digest, publishedBy } = row;
  return { name, version, digest, publishedAt: row.publishedAt.toISOString(), publishedBy };
}

function view(row: DefinitionVersionEntity): DefinitionVersion {
  return { ...item(row), text: row.text, summary: row.summary };
}
