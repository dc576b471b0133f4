import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { BatonClient } from '@baton/client';
import { BatonUnderTest, startTarget } from './child.process.js';
import { LogWatcher } from './log.watcher.js';
import { broken, judge, print } from './promise.report.js';
import { ReleasesDatabase } from './releases.database.js';
import { type Release, readReleases } from './releases.file.js';
import { SabotageActor } from './sabotage.actor.js';
import { type ExecutorLine, ScreenView } from './screen.view.js';
import { readLedger } from './target.ledger.js';
import { TopicWatcher } from './topic.watcher.js';

const LEASE_MS = 3_000;
/** Everything must be over by then; what is not is stuck, and the demo says so. */
const PATIENCE_MS = 110_000;
/** Everything is on its way when the processes have ended. */
const TOPIC_PATIENCE_MS = 20_000;

/** The promise made visible. Returns the exit code: 0 when every promise held. */
export async function runDemo(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '200' },
      keep: { type: 'boolean', default: false },
      kafka: { type: 'boolean', default: false },
    },
  });
  const directory = mkdtempSync(join(tmpdir(), 'baton-demo-'));
  chmodSync(directory, 0o755); // PostgreSQL runs as a user of its own where we are root
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  const definitions = join(root, 'apps', 'demo', 'definitions');
  const releases = readReleases(join(definitions, 'releases.csv')).slice(0, Number(values.requests));
  const ledgerFile = join(directory, 'effects.jsonl');
  const stops: (() => Promise<void> | void)[] = [];
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  try {
    const broker = values.kafka ? ', a Kafka broker' : '';
    process.stdout.write(`Starting a deployment service, its database${broker}, and Baton with three executors …\n`);
    const target = await startTarget(ledgerFile);
    stops.unshift(() => target.stop());
    const database = await ReleasesDatabase.start(join(directory, 'releases'));
    stops.unshift(() => database.stop());
    const launcher = join(root, 'bin', 'baton.mjs');
    const options = ['--port', '0', '--executors', '3', '--allow-address', '127.0.0.1/32'];
    // Over the broker alone: services hear of each other by NOTIFY first, and leave the topic to others while they do.
    const baton = values.kafka
      ? await BatonUnderTest.start(launcher, join(directory, 'baton'), [...options, '--kafka'], { BATON_NOTIFY: 'off' })
      : await BatonUnderTest.start(launcher, join(directory, 'baton'), options);
    stops.unshift(() => baton.stop());
    const { url, token, database: log, brokers } = baton.read();
    const topic = brokers === undefined ? null : new TopicWatcher(brokers);
    if (topic) stops.unshift(() => topic.close());
    const client = new BatonClient({ url, token });
    await client.setEnvironment('demo', {
      variables: { target: `http://127.0.0.1:${target.port}` },
      connections: { releases: { type: 'postgresql', url: database.url } },
      secrets: {},
    });
    for (const name of ['smoke-test.yaml', 'release.yaml'])
      await client.publish(readFileSync(join(definitions, name), 'utf8'));
    const approver = await client.createToken({ name: 'demo-approver', role: 'operator', groups: ['release-manager'] });
    const watcher = new LogWatcher(log, 'c1');
    stops.unshift(() => watcher.close());

    const manager = new BatonClient({ url, token: approver.token });
    const show = new DemoRun(client, manager, watcher, new ScreenView(releases.length), releases, interrupted.signal);
    const done = await show.run();
    if (interrupted.signal.aborted) {
      process.stdout.write('Interrupted: everything is stopped.\n');
      return 130;
    }
    const report = judge({
      accepted: show.accepted,
      streams: watcher.streams,
      ledger: readLedger(ledgerFile),
      rows: (await database.query('select process, count(*)::int as rows from release group by process')) as {
        process: string;
        rows: number;
      }[],
      takeovers: watcher.state.takeovers,
      sabotage: { killed: show.sabotage.killed, frozen: show.sabotage.frozen },
    });
    if (topic) {
      const ids = new Set([...watcher.streams.values()].flatMap((events) => events.map(({ id }) => id)));
      report.topic = await topic.compare(ids, TOPIC_PATIENCE_MS);
    }
    const faults = broken(report);
    if (!done) faults.unshift(`not over after ${PATIENCE_MS / 1000} s: ${await show.whatIsStuck()}`);
    process.stdout.write(`\n${print(report)}\n\n`);
    if (faults.length === 0) {
      process.stdout.write(`${styleText('green', 'Every promise held.')}\n`);
      return 0;
    }
    for (const fault of faults) process.stdout.write(`${styleText('red', 'Broken:')} ${fault}\n`);
    process.stdout.write(`The log of the services is kept in ${directory}/baton/logs\n`);
    values.keep = true;
    return 1;
  } finally {
    for (const stop of stops) await stop();
    if (!values.keep) rmSync(directory, { recursive: true, force: true });
  }
}

class DemoRun {
  readonly accepted: string[] = [];
  readonly sabotage = new SabotageActor();
  readonly #executors: ExecutorLine[] = [];
  readonly #names = new Map<string, string>();
  readonly #startedAt = Date.now();

  constructor(
    private readonly client: BatonClient,
    private readonly manager: BatonClient,
    private readonly watcher: LogWatcher,
    private readonly screen: ScreenView,
    private readonly releases: readonly Release[],
    private readonly signal: AbortSignal,
  ) {}

  /** True when every accepted process, and every child, has ended. */
  async run(): Promise<boolean> {
    let over = false;
    const live = async () => {
      while (!over && !this.signal.aborted) {
        await this.watcher.read();
        await this.#lookAtExecutors();
        this.screen.draw(this.watcher.state, this.#executors);
        await pause(150);
      }
    };
    const watching = live();
    const acting = Promise.all([this.#request(), this.#answer(() => over), this.#interfere()]);
    acting.catch(() => undefined); // seen below, when the loop is over
    while (!this.#isOver()) {
      await Promise.race([pause(100), acting.then(() => pause(100))]);
    }
    over = true;
    await watching;
    await acting;
    await this.watcher.read();
    this.screen.draw(this.watcher.state, this.#executors);
    return this.watcher.state.allEnded;
  }

  async whatIsStuck(): Promise<string> {
    const { state } = this.watcher;
    const stuck = [...state.requested].filter((id) => !state.ended.has(id));
    const why = await Promise.all(stuck.slice(0, 3).map(async (id) => `${id}: ${(await this.client.why(id)).summary}`));
    return `${stuck.length} processes (${why.join('; ')})`;
  }

  async #request(): Promise<void> {
    const size = 10;
    for (let i = 0; i < this.releases.length && !this.signal.aborted; i += size) {
      const batch = this.releases.slice(i, i + size);
      const answers = await this.client.requestMany(
        batch.map((inputs) => ({ definition: 'demo/release', environment: 'demo', inputs: { ...inputs } })),
        { idempotencyKey: `demo-${i}` },
      );
      for (const answer of answers) {
        if (answer.status !== 202) throw new Error(`a request was refused: ${JSON.stringify(answer)}`);
        this.accepted.push((answer as { id: string }).id);
      }
      await pause(600);
    }
    this.screen.say(`${this.accepted.length} releases requested`);
  }

  async #answer(over: () => boolean): Promise<void> {
    let n = 0;
    const answered = new Set<string>();
    while (!over() && !this.signal.aborted) {
      const page = await this.manager.tasks({ limit: 20 });
      for (const task of page.items) {
        if (answered.has(task.id)) continue; // the list may still show what was just answered
        answered.add(task.id);
        const go = n++ % 12 !== 7; // a refusal now and then: what was done is undone
        await this.manager
          .answerTask(task.id, { go, comment: go ? 'looks good' : 'not tonight' })
          .catch((error: unknown) => {
            if (!(error instanceof Error)) throw error;
            this.screen.say(`an answer was refused: ${error.message}`);
          });
      }
      await pause(700);
    }
  }

  async #interfere(): Promise<void> {
    const { state } = this.watcher;
    await this.#until(() => state.rootsEnded >= this.releases.length / 12 && state.operatorsRunning.size >= 6);
    const killed = this.sabotage.kill(await this.#victims());
    if (!killed) throw new Error('no executor was there to be killed');
    this.#mark(killed.id, 'killed');
    this.screen.say(
      styleText(
        'red',
        `executor ${this.#name(killed.id)} killed with SIGKILL while it drove ${killed.processes} processes`,
      ),
    );
    await this.#until(() => state.takeovers.some((t) => t.from === killed.id));
    await pause(1_500);
    this.#sayTakeover(killed.id, this.sabotage.killed?.at ?? 0);

    await this.#until(() => state.rootsEnded >= this.releases.length / 3 && state.operatorsRunning.size >= 6);
    if (this.#isOver()) return;
    const frozen = this.sabotage.freeze(await this.#victims());
    if (!frozen) throw new Error('no executor was there to be frozen');
    this.#mark(frozen.id, 'frozen');
    this.screen.say(
      styleText(
        'blue',
        `executor ${this.#name(frozen.id)} frozen with SIGSTOP while it drove ${frozen.processes} processes`,
      ),
    );
    await this.#until(() => state.takeovers.some((t) => t.from === frozen.id));
    await pause(LEASE_MS);
    this.#sayTakeover(frozen.id, this.sabotage.frozen?.at ?? 0);
    this.sabotage.wake();
    this.#mark(frozen.id, 'woken');
    this.screen.say(
      styleText(
        'yellow',
        `executor ${this.#name(frozen.id)} woken: what it still writes is refused, it begins nothing old`,
      ),
    );
  }

  #sayTakeover(from: string, since: number): void {
    const mine = this.watcher.state.takeovers.filter((t) => t.from === from);
    const folded = mine.reduce((sum, t) => sum + t.eventsFolded, 0);
    const passed = mine.reduce((sum, t) => sum + t.operatorsPassedOver, 0);
    const last = Math.max(...mine.map((t) => t.at - since));
    this.screen.say(
      `${mine.length} taken over, the last after ${last} ms: ${folded} events folded, ${passed} completed operators kept`,
    );
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#isOver()) await pause(25);
  }

  #isOver(): boolean {
    const { state } = this.watcher;
    const allEnded = state.roots === this.releases.length && state.allEnded;
    return allEnded || this.signal.aborted || Date.now() - this.#startedAt >= PATIENCE_MS;
  }

  async #victims() {
    const { items } = await this.client.executors();
    return items.filter((e) => e.status === 'alive').map((e) => ({ id: e.id, pid: e.pid, processes: e.processes }));
  }

  async #lookAtExecutors(): Promise<void> {
    const { items } = await this.client.executors();
    for (const executor of items) {
      const known = this.#executors.find((e) => e.name === this.#name(executor.id));
      if (known) {
        known.processes = executor.processes;
        if (executor.status === 'lost') known.processes = 0;
        continue;
      }
      this.#executors.push({
        name: this.#name(executor.id),
        pid: executor.pid,
        state: 'alive',
        processes: executor.processes,
        note: this.#executors.length >= 3 ? 'joined as a new incarnation' : '',
      });
    }
  }

  #mark(id: string, state: ExecutorLine['state']): void {
    const line = this.#executors.find((e) => e.name === this.#name(id));
    if (line) line.state = state;
  }

  #name(id: string): string {
    const known = this.#names.get(id);
    if (known) return known;
    const name = String.fromCharCode(65 + this.#names.size);
    this.#names.set(id, name);
    return name;
  }
}
