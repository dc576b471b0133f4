import {
  type ClusterSettingName,
  type ClusterSettingValues,
  clusterSettingNames,
  clusterSettings,
} from '@baton/contracts';

export interface SettingSource {
  values(): Promise<ClusterSettingValues>;
}

/**
 * Job: cluster settings at hand, without a query.
 * Boundary: one repository, one timer.
 * Invariants:
 * 1. A change is seen after one interval (2 s by default, so within the 5 s that are promised).
 * 2. With the database away the last values hold; at first the defaults.
 */
export class SettingCache {
  #values: ClusterSettingValues = defaults();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: SettingSource,
    private readonly onError: (error: unknown) => void,
    private readonly everyMs = 2000,
  ) {}

  get<N extends ClusterSettingName>(name: N): ClusterSettingValues[N] {
    return this.#values[name];
  }

  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), this.everyMs);
    this.#timer.unref();
  }

  async refresh(): Promise<void> {
    try {
      this.#values = await this.source.values();
    } catch (error) {
      this.onError(error);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function defaults(): ClusterSettingValues {
  return Object.fromEntries(
    clusterSettingNames.map((name) => [name, clusterSettings[name].default]),
  ) as ClusterSettingValues;
}
