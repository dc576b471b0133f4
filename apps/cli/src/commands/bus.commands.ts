import { type BusRepublish, type BusStatus, type DeadLetter, republishSchema } from '@baton/contracts';
import type { Command } from 'commander';
import { type Cli, type CommonOptions, clientOf, example, optionsOf, printJson } from '../cli.js';
import { CommandEnd, exitCodes, wrongUse } from '../exit-codes.js';
import { leaf } from '../leaf.js';
import { bold, dim, paint } from '../render/style.js';
import { table } from '../render/table.js';
import { ago } from '../render/time.js';

const resultWithinMs = 15_000;
const lookEveryMs = 300;

/** The bus: how far behind it is, what could not be handled, and doing it again. */
export function busCommands(program: Command, cli: Cli): void {
  const bus = program
    .command('bus')
    .description('events on their way to subscribers: lag, dead letters, doing it again');
  const status = leaf(bus, 'status', 'the transport, how far publisher and subscribers are behind, dead letters', {
    isDefault: true,
  }).action(async (_options: unknown, self: Command) => {
    const found = await clientOf(cli, self).bus();
    return optionsOf<CommonOptions>(self).json ? printJson(cli, found) : showStatus(cli, found);
  });
  example(status, 'bus');
  const letters = leaf(bus, 'dead-letters [action]', 'what subscribers could not handle, newest first')
    .option('--subscriber <name>', 'of this one alone')
    .option('-n, --limit <count>', 'how many', '50')
    .action(async (action: string | undefined, _options: unknown, self: Command) => {
      if (action !== undefined && action !== 'list')
        throw wrongUse(`There is no "bus dead-letters ${action}": \`baton bus replay\` has one delivered again.`);
      const { json, subscriber, limit } = optionsOf<CommonOptions & { subscriber?: string; limit: string }>(self);
      const query = { limit: Number(limit), ...(subscriber === undefined ? {} : { subscriber }) };
      const { items } = await clientOf(cli, self).deadLetters(query);
      return json ? printJson(cli, items) : showLetters(cli, items);
    });
  example(letters, 'bus dead-letters', 'bus dead-letters --subscriber notifier');
  replayCommand(bus, cli);
  republishCommand(bus, cli);
}

function replayCommand(bus: Command, cli: Cli): void {
  const replay = leaf(bus, 'replay [id]', 'have a dead letter delivered to its subscriber again')
    .option('--all', 'all dead letters')
    .action(async (id: string | undefined, _options: unknown, self: Command) => {
      const { json, all } = optionsOf<CommonOptions & { all?: boolean }>(self);
      if ((id === undefined) === (all !== true)) throw wrongUse('Say which: `baton bus replay ID`, or `--all`.');
      const client = clientOf(cli, self);
      if (id === undefined) {
        const started = await client.replayDeadLetters();
        if (json) return printJson(cli, started);
        return cli.out(`${started.count} are delivered again; \`baton bus dead-letters\` shows what is left`);
      }
      const asked = await client.replayDeadLetter(id);
      if ('topic' in asked.origin && (await client.bus()).transport === 'embedded') {
        if (json) printJson(cli, asked);
        else cli.out(`${asked.subscriber} reads a Kafka topic, and no Kafka is configured: it gets this once one is`);
        return;
      }
      const letter = await settled(
        () => client.deadLetter(id),
        ({ replayRequestedAt }) => replayRequestedAt === null,
      );
      if (json) printJson(cli, letter);
      else if (letter.replayedAt !== null) cli.out(`${paint('green', '✔')} ${letter.subscriber} has handled it`);
      else if (letter.replayError === null)
        cli.out(`${letter.subscriber} has not taken it yet: it will when it runs. \`baton bus dead-letters\` tells`);
      if (letter.replayError !== null)
        throw new CommandEnd(exitCodes.failed, `${letter.subscriber} failed at it again: ${letter.replayError}`);
    });
  example(replay, 'bus replay 5f0c…', 'bus replay --all');
}

function republishCommand(bus: Command, cli: Cli): void {
  const republish = leaf(bus, 'republish', 'write a range of the log to the topics again, with the same ids (admin)')
    .option('--from <time|sequence>', 'ISO 8601; with --process also the number of an event')
    .option('--to <time|sequence>', 'up to then; now by default')
    .option('-p, --process <id>', 'the events of this process alone')
    .option('--no-wait', 'do not wait for its end')
    .action(async (_options: unknown, self: Command) => {
      const options = optionsOf<CommonOptions & { from?: string; to?: string; process?: string; wait: boolean }>(self);
      const range = republishSchema.safeParse({
        ...bound(options.from, 'since', 'fromSequence'),
        ...bound(options.to, 'until', 'toSequence'),
        ...(options.process === undefined ? {} : { process: options.process }),
      });
      if (!range.success)
        throw wrongUse(`What to republish: ${range.error.issues.map(({ message }) => message).join('; ')}.`);
      const client = clientOf(cli, self);
      let job = await client.republish(range.data);
      let shown = 0;
      while (options.wait && job.finishedAt === null) {
        await pause();
        job = await client.republishing(job.id);
        if (!options.json && job.published > shown) cli.error(dim(`${job.published} events`));
        shown = job.published;
      }
      if (options.json) printJson(cli, job);
      else cli.out(line(job));
      if (job.error !== null) throw new CommandEnd(exitCodes.failed, job.error);
    });
  example(republish, 'bus republish --from 2026-01-31T08:00:00Z', 'bus republish --process c1-0193… --from 1');
}

function bound(text: string | undefined, time: string, sequence: string): Record<string, unknown> {
  if (text === undefined) return {};
  return /^\d+$/.test(text) ? { [sequence]: Number(text) } : { [time]: text };
}

async function settled<T>(look: () => Promise<T>, isSettled: (found: T) => boolean): Promise<T> {
  const until = performance.now() + resultWithinMs;
  for (;;) {
    const found = await look();
    if (isSettled(found) || performance.now() > until) return found;
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}

function line(job: BusRepublish): string {
  if (job.error !== null) return `${paint('red', '✘')} after ${job.published} events`;
  return job.finishedAt === null
    ? `${job.published} events so far; \`baton bus\` shows how far it is`
    : `${paint('green', '✔')} ${job.published} events written again`;
}

function showStatus(cli: Cli, status: BusStatus): void {
  const { publisher, subscribers } = status;
  if (status.transport === 'embedded')
    cli.out(`${bold('embedded')}  subscribers read the log itself; there is no broker and no topic`);
  else cli.out(`${bold('kafka')}  cluster ${publisher?.clusterId ?? 'not known yet'}`);
  if (status.toldAt === null) cli.out(dim('no scheduler has told of it yet'));
  if (publisher) {
    const behind = publisher.lagEvents === 0 ? 'nothing to publish' : lag(publisher.lagEvents, publisher.lagSeconds);
    const at = publisher.checkpointAt === null ? '' : `, acknowledged ${ago(publisher.checkpointAt, Date.now())}`;
    cli.out(`publisher  ${behind}${at}  ${dim(publisher.holder)}`);
    if (publisher.error !== null) cli.out(paint('red', `  it cannot publish: ${publisher.error}`));
    if (publisher.republished) {
      const { reason, at: when, since } = publisher.republished;
      cli.out(paint('yellow', `  ${when}: ${reason}; published again from ${since ?? 'the beginning'}`));
    }
  }
  for (const job of status.republishing.filter(({ finishedAt }) => finishedAt === null))
    cli.out(`republishing  ${job.published} events so far, asked for by ${job.requestedBy}`);
  const rows = subscribers.map((one) => [one.name, one.reads, lag(one.lagEvents, one.lagSeconds)]);
  if (rows.length > 0) cli.out(table(['subscriber', 'reads', 'behind'], rows));
  const dead = `${status.deadLetters} dead letter${status.deadLetters === 1 ? '' : 's'}`;
  cli.out(status.deadLetters === 0 ? dead : paint('red', `${dead}: \`baton bus dead-letters\` shows them`));
}

function lag(events: number, seconds: number | null): string {
  return `${events} events${seconds === null || events === 0 ? '' : `, ${seconds.toFixed(1)} s`}`;
}

function showLetters(cli: Cli, letters: readonly DeadLetter[]): void {
  const rows = letters.map((one) => [
    one.id,
    one.subscriber,
    one.type,
    one.subject,
    String(one.attempts),
    ago(one.failedAt, Date.now()),
    one.replayRequestedAt === null ? (one.replayError ?? one.reason) : 'is delivered again',
  ]);
  cli.out(table(['dead letter', 'subscriber', 'event', 'subject', 'attempts', 'failed', 'reason'], rows));
}
