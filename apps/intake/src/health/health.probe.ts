import type { Health } from '@baton/contracts';

/** One thing that must work; throws when it does not. `vital`: without it nothing can be taken. */
export interface Check {
  name: string;
  vital: boolean;
  run(): Promise<void>;
}

/** Readiness, asked over connections of its own, so that a busy pool is not taken for a dead database. */
export class HealthProbe {
  constructor(
    private readonly checks: readonly Check[],
    private readonly withinMs = 2000,
  ) {}

  async ready(): Promise<Health> {
    const results = await Promise.all(this.checks.map((check) => this.#run(check)));
    const checks = Object.fromEntries(results.map((result) => [result.name, result.fault ?? 'ok']));
    const failed = results.filter((result) => result.fault !== null);
    if (failed.length === 0) return { status: 'ready', checks };
    return { status: failed.some((result) => result.vital) ? 'not-ready' : 'degraded', checks };
  }

  async #run(check: Check): Promise<{ name: string; vital: boolean; fault: string | null }> {
    const { name, vital } = check;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.withinMs} ms`)), this.withinMs);
    });
    try {
      await Promise.race([check.run(), late]);
      return { name, vital, fault: null };
    } catch (error) {
      return { name, vital, fault: error instanceof Error ? error.message || error.name : String(error) };
    } finally {
      clearTimeout(timer);
    }
  }
}
