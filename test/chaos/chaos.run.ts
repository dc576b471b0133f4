import { SeededRandom } from '../simulation/seeded.random.js';
import { audit, type ChaosAudit } from './chaos.audit.js';
import { chaosDefinitions } from './chaos.definitions.js';
import type { ExecutorProcess } from './executor.process.js';
import { moment, RealCluster } from './real.cluster.js';

export interface ChaosOptions {
  seed: number;
  processes: number;
  kills: number;
  freezes: number;
  restarts: number;
  /** Goes on until then, in ms, beyond the least numbers above. */
  atLeastMs: number;
  say: (line: string) => void;
}

export interface ChaosReport {
  storm: ChaosAudit;
  kills: number;
  freezes: number;
  /** Appends of frozen executors that woke, refused by the log. */
  zombieAppendsRefused: number;
  calm: ChaosAudit;
  restarts: number;
}

const executors = 3;
const leaseMs = 2000;

/** Kills and freezes while processes run; then, in a phase of its own, restarts of PostgreSQL without a kill. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const storm = await new Storm(options).run();
  const { restarts, calm } = await restartDatabase(options);
  return { ...storm, restarts, calm };
}

class Storm {
  private readonly random: SeededRandom;
  private readonly deaths = new Map<string, number>();
  private readonly thawed = new Set<string>();
  private kills = 0;
  private freezes = 0;
  private refused = 0;
  private ended = 0;
  private isOver = false;
  private readonly began = performance.now();
  private cluster!: RealCluster;

  constructor(private readonly options: ChaosOptions) {
    this.random = new SeededRandom(options.seed);
  }

  async run(): Promise<Pick<ChaosReport, 'storm' | 'kills' | 'freezes' | 'zombieAppendsRefused'>> {
    this.cluster = await RealCluster.start();
    const { cluster, options } = this;
    try {
      for (const definition of chaosDefinitions(cluster.ledger.url())) await cluster.publish(definition);
      for (let n = 0; n < executors; n += 1) this.startExecutor();
      await Promise.all(cluster.executors.map((executor) => executor.ready));
      const waker = setInterval(() => cluster.ledger.wake(), 500);
      await Promise.all([this.feed(), this.killers(), this.freezer(), this.progress()]);
      clearInterval(waker);
      options.say(`storm over: ${this.kills} kills, ${this.freezes} freezes; waiting for the last processes`);
      if (!(await cluster.untilEnded(60_000))) options.say(`stuck: ${await cluster.open()} processes are open`);
      return {
        storm: await audit(cluster, this.deaths),
        kills: this.kills,
        freezes: this.freezes,
        zombieAppendsRefused: this.refused,
      };
    } finally {
      this.isOver = true;
      await cluster.close();
    }
  }

  /** Has done its part, and a longer run was not asked for. */
  private isIdle(isDone: boolean): boolean {
    return isDone && performance.now() - this.began > this.options.atLeastMs;
  }

  private isEnough(): boolean {
    const { kills, freezes } = this.options;
    return this.isOver || (this.kills >= kills && this.freezes >= freezes && this.refused >= freezes);
  }

  /** A steady flow, so that there is always something to interrupt. */
  private async feed(): Promise<void> {
    const { cluster, options, random } = this;
    while (!this.isOver) {
      const isDone = this.isIdle(this.isEnough());
      if (isDone && cluster.requested.length >= options.processes) break;
      const open = await cluster.open();
      this.ended = cluster.requested.length - open;
      const more = isDone ? 50 : Math.max(0, 120 - open);
      await Promise.all(
        Array.from({ length: more }, () =>
          cluster.request(random.chance(0.15) ? 'chaos/undone' : 'chaos/release', { takes: random.between(100, 600) }),
        ),
      );
      await moment(100);
    }
    this.isOver = true;
  }

  /** SIGKILL while an effect runs in that executor; its supervisor sees some of the deaths. */
  private async killers(): Promise<void> {
    while (!this.isOver) {
      if (this.isIdle(this.kills >= this.options.kills)) {
        await moment(100);
        continue;
      }
      const victim = this.anyone();
      if (victim === undefined || victim.isFrozen || victim.incarnations.length === 0) {
        await moment(50);
        continue;
      }
      if (!(await this.cluster.ledger.untilRunning(victim.pid, () => this.isOver || !victim.isRunning))) continue;
      await moment(this.random.between(0, 200));
      if ((this.cluster.ledger.running.get(victim.pid) ?? 0) <= 0 || victim.isFrozen) continue;
      victim.signal('SIGKILL');
      this.kills += 1;
      await this.buried(victim, this.random.chance(0.5));
      await this.untilMoreEnded(12);
    }
  }

  private async buried(victim: ExecutorProcess, isSeen: boolean): Promise<void> {
    const at = Date.now();
    const incarnation = victim.incarnations.at(-1);
    const { signal, code } = await victim.exited;
    if (incarnation !== undefined) {
      this.deaths.set(incarnation, at);
      if (isSeen) await this.cluster.cell.executors.recordExit(incarnation, { code, signal });
    }
    this.startExecutor();
  }

  /** SIGSTOP while an effect runs, for longer than the lease; what wakes is a zombie. */
  private async freezer(): Promise<void> {
    while (!this.isOver) {
      const { freezes } = this.options;
      if (this.isIdle(this.freezes >= freezes && this.refused >= freezes)) {
        await moment(100);
        continue;
      }
      const victim = this.anyone();
      if (victim === undefined || victim.isFrozen || victim.incarnations.length === 0) {
        await moment(50);
        continue;
      }
      if (!(await this.cluster.ledger.untilRunning(victim.pid, () => this.isOver || !victim.isRunning))) continue;
      if (!victim.isRunning) continue;
      const incarnation = victim.incarnations.at(-1) ?? '';
      victim.signal('SIGSTOP');
      this.deaths.set(incarnation, Date.now());
      await moment(leaseMs + this.random.between(700, 1500));
      if (!victim.isRunning) continue;
      this.thawed.add(incarnation);
      this.freezes += 1;
      victim.signal('SIGCONT');
      await this.untilMoreEnded(25);
    }
  }

  /** Progress between two faults, so that on a slow machine the storm is as strong as on a quick one. */
  private async untilMoreEnded(count: number): Promise<void> {
    const before = this.ended;
    while (!this.isOver && this.ended < before + count) await moment(50);
  }

  private startExecutor(): void {
    this.cluster.startExecutor({ BATON_LEASE_MS: String(leaseMs) }, (line) => {
      const { msg, executor } = line;
      if (msg === 'append refused: the process is not ours' && this.thawed.has(String(executor))) this.refused += 1;
    });
  }

  private anyone(): ExecutorProcess | undefined {
    const running = this.cluster.executors.filter((one) => one.isRunning);
    return running.length === 0 ? undefined : this.random.pick(running);
  }

  private async progress(): Promise<void> {
    for (let n = 0; !this.isOver; n += 1) {
      if (n % 50 === 49)
        this.options.say(
          `${this.cluster.requested.length} requested, ${await this.cluster.open()} open, ${this.kills} kills, ${this.freezes} freezes, ${this.refused} zombie appends refused`,
        );
      await moment(100);
    }
  }
}

async function restartDatabase(options: ChaosOptions): Promise<{ restarts: number; calm: ChaosAudit }> {
  const cluster = await RealCluster.start();
  const random = new SeededRandom(options.seed + 1);
  try {
    for (const definition of chaosDefinitions(cluster.ledger.url())) await cluster.publish(definition);
    for (let n = 0; n < executors; n += 1) cluster.startExecutor({ BATON_LEASE_MS: '3000', BATON_HEARTBEAT_MS: '500' });
    await Promise.all(cluster.executors.map((executor) => executor.ready));
    let isOver = false;
    const feeding = (async () => {
      while (!isOver) {
        const more = Math.max(0, 40 - (await cluster.open()));
        for (let n = 0; n < more; n += 1) await cluster.request('chaos/release', { takes: random.between(100, 1500) });
        await moment(100);
      }
    })();
    let restarts = 0;
    while (restarts < options.restarts) {
      await moment(random.between(800, 2000));
      await cluster.server.cluster.restart(random.chance(0.5) ? 'fast' : 'immediate');
      restarts += 1;
      options.say(`PostgreSQL restarted ${restarts} times`);
    }
    isOver = true;
    await feeding;
    if (!(await cluster.untilEnded(60_000))) options.say(`stuck: ${await cluster.open()} processes are open`);
    return { restarts, calm: await audit(cluster, new Map()) };
  } finally {
    await cluster.close();
  }
}
