import {
  type ClusterSettingName,
  type ClusterSettingValues,
  clusterSettingNames,
  clusterSettings,
  type JsonValue,
  type SettingItem,
} from '@baton/contracts';
import type { DataSource } from 'typeorm';
import { SettingEntity } from '../entities/setting.entity.js';

/** Cluster settings in PostgreSQL: only what differs from its default has a row. */
export class SettingRepository {
  constructor(private readonly source: DataSource) {}

  async values(): Promise<ClusterSettingValues> {
    const rows = new Map((await this.#rows()).map((row) => [row.name, row.value.value]));
    const values = clusterSettingNames.map((name) => [name, effective(name, rows.get(name))]);
    return Object.fromEntries(values) as ClusterSettingValues;
  }

  async list(): Promise<SettingItem[]> {
    const rows = new Map((await this.#rows()).map((row) => [row.name, row]));
    return clusterSettingNames.map((name) => {
      const row = rows.get(name);
      return {
        name,
        value: effective(name, row?.value.value),
        default: clusterSettings[name].default,
        meaning: clusterSettings[name].meaning,
        changedAt: row ? row.changedAt.toISOString() : null,
        changedBy: row?.changedBy ?? null,
      };
    });
  }

  /** undefined: back to the default. */
  async change(changes: Partial<Record<ClusterSettingName, JsonValue | undefined>>, by: string): Promise<void> {
    await this.source.transaction(async (manager) => {
      for (const [name, value] of Object.entries(changes)) {
        if (value === undefined) {
          await manager.getRepository(SettingEntity).delete({ name });
          continue;
        }
        await manager.query(
          `insert into setting (name, value, changed_by) values ($1, $2::jsonb, $3)
           on conflict (name) do update set value = excluded.value, changed_by = excluded.changed_by, changed_at = now()`,
          [name, JSON.stringify({ value }), by],
        );
      }
    });
  }

  #rows(): Promise<SettingEntity[]> {
    return this.source.getRepository(SettingEntity).find();
  }
}

/** A row that a newer release wrote and this one cannot read counts as not there. */
function effective(name: ClusterSettingName, stored: JsonValue | undefined): JsonValue {
  if (stored === undefined) return clusterSettings[name].default;
  const parsed = clusterSettings[name].schema.safeParse(stored);
  return parsed.success ? parsed.data : clusterSettings[name].default;
}
