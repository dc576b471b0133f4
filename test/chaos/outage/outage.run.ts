import { SeededRandom } from '../../simulation/seeded.random.js';
import { audit, type ChaosAudit } from '../chaos.audit.js';
import { moment, patiently } from '../real.cluster.js';
import type { ServiceProcess } from '../service.process.js';
import { InboxConsumer } from './inbox.consumer.js';
import { LocalBroker } from './local.broker.js';
import { OutageCluster } from './outage.cluster.js';
import { judgeTopics } from './outage.judge.js';
import { figuresOf, type Phase, type PhaseFigures } from './outage.phases.js';
import { Stranger } from './stranger.js';

export interface OutageOptions {
  seed: number;
  /** How long the broker is dead. */
  awayMs: number;
  /** Requests that come in, all the time. */
  perSecond: number;
  say: (line: string) => void;
}

export interface OutageReport {
  log: ChaosAudit;
  /** Of the topics and their consumers, in words: what must be none. */
  broken: string[];
  phases: PhaseFigures[];
  /** What the services said of their readiness while the broker was dead. */
  readiness: { code: number; status: string }[];
  events: number;
  handled: number;
}

const calmMs = 10_000;
/** Longer than a request to the broker may take. */
const hungMs = 15_000;
/** Without any progress. */
const patienceMs = 120_000;

/** Processes at a steady rate, while the bus under them is hung, killed and emptied, and its publisher killed and frozen. */
export async function outage(options: OutageOptions): Promise<OutageReport> {
  const broker = await LocalBroker.start();
  try {
    const cluster = await OutageCluster.start(broker.brokers);
    try {
      return await new OutageRun(options, broker, cluster).run();
    } finally {
      await cluster.close();
    }
  } finally {
    await broker.stop();
  }
}

class OutageRun {
  private readonly stranger: Stranger;
  private readonly phases: Phase[] = [];
  private readonly broken: string[] = [];
  private readiness: OutageReport['readiness'] = [];
  private inbox!: InboxConsumer;
  private isFed = false;
  private isOver = false;

  constructor(
    private readonly options: OutageOptions,
    private readonly broker: LocalBroker,
    private readonly cluster: OutageCluster,
  ) {
    this.stranger = new Stranger(broker.brokers);
  }

  async run(): Promise<OutageReport> {
    const { broker, cluster, stranger } = this;
    this.inbox = await InboxConsumer.start(cluster.url, broker.brokers);
    await stranger.connect();
    const background = [this.feed(), this.watchBacklog()];
    try {
      await this.phase('calm', () => moment(calmMs));
      await this.phase('broker hung', () => this.hang());
      await this.phase('publisher killed', () => this.killPublisher());
      await this.phase('publisher frozen', () => this.freezePublisher());
      await this.phase('broker dead', () => this.killBroker());
      await this.phase('broker empty', () => this.emptyBroker());
      this.isFed = true;
      await this.until('every process ended', () => cluster.openProcesses());
      await this.drain(Date.now());
      const inboxed = await cluster.eventIdsOf(['ProcessRequested', 'ProcessCompleted', 'ProcessFailed']);
      await this.until('the inbox has handled the last ends', async () => missing(inboxed, await this.inbox.handled()));
    } finally {
      this.isFed = true;
      this.isOver = true;
      await Promise.all(background);
      await stranger.disconnect();
    }
    return this.report();
  }

  private async report(): Promise<OutageReport> {
    const { cluster, stranger, broken } = this;
    const streams = new Map<string, Awaited<ReturnType<OutageCluster['events']>>>();
    for (const stream of await cluster.streams()) streams.set(stream, await cluster.events(stream));
    const handled = await this.inbox.handled();
    broken.push(...judgeTopics([...streams.values()], stranger, handled));
    const letters = await this.inbox.deadLetters();
    if (letters > 0) broken.push(`${letters} dead letters`);
    await this.inbox.stop();
    return {
      log: await audit(cluster, new Map()),
      broken,
      phases: figuresOf(this.phases, streams.values(), stranger.arrivals),
      readiness: this.readiness,
      events: stranger.events.ids.size,
      handled: handled.size,
    };
  }

  private async hang(): Promise<void> {
    this.broker.freeze();
    await moment(hungMs);
    this.broker.thaw();
  }

  private async killPublisher(): Promise<void> {
    const victim = await this.publisher();
    victim.signal('SIGKILL');
    await victim.exited;
    this.cluster.startScheduler();
    await this.anotherPublishes(victim);
  }

  /** Beyond its lease, and until another has published in its place; what wakes goes on where it stopped. */
  private async freezePublisher(): Promise<void> {
    const victim = await this.publisher();
    victim.signal('SIGSTOP');
    await this.anotherPublishes(victim);
    victim.signal('SIGCONT');
  }

  /** Meanwhile an executor and the scheduler that would publish die as well. */
  private async killBroker(): Promise<void> {
    const { broker, cluster, options } = this;
    const until = Date.now() + options.awayMs;
    await broker.kill();
    await moment(options.awayMs * 0.3);
    cluster.executors[0]?.signal('SIGKILL');
    const executor = cluster.startExecutor();
    const publisher = await this.publisher();
    publisher.signal('SIGKILL');
    await publisher.exited;
    await Promise.all([executor.ready, cluster.startScheduler().ready]);
    await moment((until - Date.now()) * 0.8);
    await this.until('every service is ready, and some say that they are degraded', async () => {
      const services = [cluster.intake, ...cluster.schedulers, ...cluster.executors].filter(
        ({ isRunning }) => isRunning,
      );
      this.readiness = await Promise.all(services.map((service) => cluster.readiness(service)));
      const isTold = this.readiness.some(({ status }) => status === 'degraded');
      return this.readiness.filter(({ code }) => code !== 200).length + (isTold ? 0 : 1);
    });
    await moment(until - Date.now());
    await broker.restart({ empty: false });
  }

  /** Topics, records and the offsets of all groups are gone: what the log holds must come again, without a command. */
  private async emptyBroker(): Promise<void> {
    const { broker, stranger } = this;
    await broker.kill();
    await stranger.disconnect();
    await broker.restart({ empty: true });
    stranger.beginAnew();
    // It waits for the topics, which the publisher makes again.
    await this.within('the topics are made again', stranger.connect());
    const ids = await this.cluster.eventIds();
    await this.until(`all ${ids.length} events were published again`, async () =>
      missing(ids, stranger.anew.events.ids),
    );
  }

  private async phase(name: string, act: () => Promise<void>): Promise<void> {
    const phase: Phase = { name, from: Date.now(), to: Number.POSITIVE_INFINITY, backlogPeak: 0, drainMs: null };
    this.phases.push(phase);
    this.options.say(`${name} …`);
    await act();
    const faultOver = Date.now();
    await this.drain(faultOver);
    phase.drainMs = Date.now() - faultOver;
    phase.to = Date.now();
  }

  /** Until all that the log holds now has arrived. */
  private async drain(since: number): Promise<void> {
    const ids = await this.cluster.eventIds();
    await this.until(`all ${ids.length} events of ${new Date(since).toISOString()} arrived`, async () =>
      missing(ids, this.stranger.events.ids),
    );
  }

  private async publisher(): Promise<ServiceProcess> {
    let publisher: ServiceProcess | undefined;
    await this.until('a scheduler publishes', async () => {
      publisher = await this.cluster.publisher();
      return publisher === undefined ? 1 : 0;
    });
    if (publisher === undefined) throw new Error('nobody publishes');
    return publisher;
  }

  private async anotherPublishes(victim: ServiceProcess): Promise<void> {
    await this.until('another scheduler publishes', async () => {
      const publisher = await this.cluster.publisher();
      return publisher === undefined || publisher === victim ? 1 : 0;
    });
    const takenOver = Date.now();
    await this.until('it has published something new', async () =>
      this.stranger.arrivals.some(({ recordedAt }) => recordedAt > takenOver) ? 0 : 1,
    );
  }

  /**
   * Until nothing remains, for as long as it becomes less: a slow machine is no fault. What does not come is told at the
   * end; the run goes on, so that everything else is judged too.
   */
  private async until(what: string, remaining: () => Promise<number>): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    let progressAt = performance.now();
    for (;;) {
      const remains = await patiently(remaining);
      if (remains === 0) return;
      if (remains < least) {
        least = remains;
        progressAt = performance.now();
      }
      if (performance.now() - progressAt > patienceMs) {
        this.broken.push(`${what}: ${least} missing, and no progress for ${patienceMs / 1000} s`);
        this.options.say(`NOT: ${what}\n${this.cluster.complaints()}`);
        return;
      }
      await moment(200);
    }
  }

  private async within(what: string, happens: Promise<void>): Promise<void> {
    let happened = false;
    void happens.then(() => {
      happened = true;
    });
    await this.until(what, async () => (happened ? 0 : 1));
  }

  private async feed(): Promise<void> {
    const random = new SeededRandom(this.options.seed);
    const pending = new Set<Promise<void>>();
    const began = performance.now();
    for (let n = 0; !this.isFed; n += 1) {
      const name = random.chance(0.15) ? 'chaos/undone' : 'chaos/release';
      const requesting = this.cluster
        .request(name, { takes: random.between(50, 300) })
        .catch((error: unknown) => {
          this.broken.push(`a request was refused: ${String(error)}`);
        })
        .finally(() => pending.delete(requesting));
      pending.add(requesting);
      await moment(Math.max(1, began + ((n + 1) * 1000) / this.options.perSecond - performance.now()));
    }
    await Promise.all(pending);
  }

  private async watchBacklog(): Promise<void> {
    for (let n = 1; !this.isOver; n += 1) {
      const known = this.stranger.events.ids.size;
      const backlog = Math.max(0, (await patiently(() => this.cluster.eventCount())) - known);
      const phase = this.phases.at(-1);
      if (phase !== undefined) phase.backlogPeak = Math.max(phase.backlogPeak, backlog);
      if (n % 20 === 0)
        this.options.say(`${this.cluster.requested.length} requested, ${known} events arrived, backlog ${backlog}`);
      await moment(1000);
    }
  }
}

function missing(ids: readonly string[], known: ReadonlySet<string> | ReadonlyMap<string, unknown>): number {
  let count = 0;
  for (const id of ids) if (!known.has(id)) count += 1;
  return count;
}
