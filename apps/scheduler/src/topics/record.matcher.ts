import type { CommandHandler, KeptRecord, RecordDelivery, TopicReceiver, TopicStore } from '@baton/event-log';
import { type JsonObject, recordFits } from '@baton/process';
import type { Logger, Meter } from '../scheduler.ports.js';

const page = 500;

/** What of a topic was compared with each other. Receivers and records do not change, so nothing is compared twice. */
interface Compared {
  mark: string;
  behind: bigint;
  receivers: Set<string>;
}

/**
 * Job: finds for each kept record the oldest receiver that it fits, and delivers it to its process.
 * Boundary: taking records in is RecordIntake's; what a record does in a process is decided there.
 * Invariants:
 * 1. A record goes to one receiver, and a receiver gets one record: claimed in the database before it is delivered.
 * 2. Delivered is marked after the process's stream holds it; delivering twice changes nothing, the process drops what
 *    it knows.
 * 3. A receiver that wants it no more gives it back, to the next that fits.
 * 4. A match that cannot be evaluated with a record does not hold for it, and stops nobody else.
 */
export class RecordMatcher {
  readonly #compared = new Map<string, Compared>();

  constructor(
    private readonly options: {
      store: Pick<TopicStore, 'changes' | 'receivers' | 'open' | 'claim' | 'claimed' | 'delivered' | 'giveBack'>;
      commands: Pick<CommandHandler, 'handle'>;
      logger: Logger;
      meter: Meter;
    },
  ) {}

  async run(): Promise<'again' | undefined> {
    const { store } = this.options;
    const changes = await store.changes();
    const waited = new Set(changes.map(({ topic }) => topic));
    for (const topic of this.#compared.keys()) if (!waited.has(topic)) this.#compared.delete(topic);
    for (const { topic, mark } of changes) {
      const before = this.#compared.get(topic) ?? { mark: '', behind: 0n, receivers: new Set<string>() };
      if (before.mark === mark) continue;
      this.#compared.set(topic, { ...(await this.#compare(topic, before)), mark });
    }
    const claimed = await store.claimed(page);
    let givenBack = false;
    for (const delivery of claimed) givenBack = (await this.#deliver(delivery)) === 'given-back' || givenBack;
    return claimed.length === page || givenBack ? 'again' : undefined;
  }

  async #compare(topic: string, before: Compared): Promise<Omit<Compared, 'mark'>> {
    const { store } = this.options;
    const receivers = await store.receivers(topic);
    const known = new Waiting(receivers.filter((receiver) => before.receivers.has(nameOf(receiver))));
    const fresh = receivers.filter((receiver) => !before.receivers.has(nameOf(receiver)));
    // Those who wait the longest first: new records for them, then all that is left for those who have come.
    let { behind } = before;
    for (;;) {
      const records = await store.open(topic, behind, page);
      for (const record of records) {
        await this.#offer(record, known);
        behind = record.number;
      }
      if (records.length < page) break;
    }
    for (const receiver of fresh) await this.#look(receiver, behind);
    return { behind, receivers: new Set(receivers.map(nameOf)) };
  }

  async #offer(record: KeptRecord, waiting: Waiting): Promise<void> {
    for (const receiver of waiting.of(record.key)) {
      if (!fits(record, receiver)) continue;
      if (await this.options.store.claim(record, receiver)) {
        waiting.remove(receiver);
        return;
      }
    }
  }

  /** For one that has just come to wait: the oldest record that fits, of those that all others were offered. */
  async #look(receiver: TopicReceiver, upTo: bigint): Promise<void> {
    const { store } = this.options;
    for (let behind = 0n; ; ) {
      const records = await store.open(receiver.topic, behind, page, receiver.key ?? undefined);
      for (const record of records) {
        if (record.number > upTo) return;
        behind = record.number;
        if (fits(record, receiver) && (await store.claim(record, receiver))) return;
      }
      if (records.length < page) return;
    }
  }

  async #deliver(delivery: RecordDelivery): Promise<'delivered' | 'given-back' | 'later'> {
    const { store, commands, logger, meter } = this.options;
    const { topic, id, record, stream, path } = delivery;
    const { key, value = null } = record;
    try {
      const command = {
        kind: 'receiveMessage' as const,
        messageId: `${topic}/${id}`,
        name: topic,
        path,
        payload: value,
        record: placeOf(record),
        ...(typeof key === 'string' ? { key } : {}),
      };
      const result = await commands.handle(stream, command, { causation: `${topic}/${id}` });
      if (result.status === 'done' || (result.status === 'refused' && result.refusal.code === 'already-done')) {
        await store.delivered(delivery);
        meter.count('baton.scheduler.records-delivered');
        return 'delivered';
      }
      await store.giveBack(delivery);
      return 'given-back';
    } catch (error) {
      logger.warn({ err: error, process: stream, topic, record: id }, 'a record could not be delivered; once more');
      return 'later';
    }
  }
}

/** Receivers in the order of their age, found by key. */
class Waiting {
  readonly #keyless: TopicReceiver[] = [];
  readonly #byKey = new Map<string, TopicReceiver[]>();

  constructor(receivers: readonly TopicReceiver[]) {
    for (const receiver of receivers) {
      if (receiver.key === null) this.#keyless.push(receiver);
      else this.#byKey.set(receiver.key, [...(this.#byKey.get(receiver.key) ?? []), receiver]);
    }
  }

  of(key: string | null): TopicReceiver[] {
    const keyed = key === null ? [] : (this.#byKey.get(key) ?? []);
    return keyed.length === 0
      ? [...this.#keyless]
      : [...keyed, ...this.#keyless].sort((one, other) => one.openedAt - other.openedAt);
  }

  remove(receiver: TopicReceiver): void {
    const list = receiver.key === null ? this.#keyless : (this.#byKey.get(receiver.key) ?? []);
    const at = list.indexOf(receiver);
    if (at >= 0) list.splice(at, 1);
  }
}

function fits(record: KeptRecord, receiver: TopicReceiver): boolean {
  if (receiver.key !== null && receiver.key !== record.key) return false;
  if (receiver.keepMs !== null && record.receivedAt < receiver.openedAt - receiver.keepMs) return false;
  return recordFits(receiver.conditions, record.record);
}

function nameOf({ stream, path, attempt, openedAt }: TopicReceiver): string {
  return `${stream} ${attempt} ${openedAt} ${path}`;
}

function placeOf({ partition, offset, timestamp, headers }: JsonObject) {
  return {
    partition: Number(partition),
    offset: Number(offset),
    timestamp: String(timestamp),
    ...(typeof headers === 'object' && headers !== null && !Array.isArray(headers)
      ? { headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])) }
      : {}),
  };
}
