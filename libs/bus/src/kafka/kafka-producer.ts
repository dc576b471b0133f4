import { type Kafka, type Message, Partitioners, type Producer, type RecordMetadata } from 'kafkajs';
import type { Logger, Timers } from '../bus.ports.js';
import {
  type BusMessage,
  type BusProducer,
  SendFailed,
  type SendOptions,
  type SentMessage,
} from '../producer/producer.port.js';
import { systemTimers } from '../system-timers.js';
import { isNumberingLost, isRefusal, lastingFault, remedyFor, rootOf } from './kafka-faults.js';

export interface KafkaProducerOptions {
  kafka: Kafka;
  logger: Logger;
  timers?: Timers;
  /** The longest time of one send, connecting included, ms. */
  timeoutMs?: number;
}

interface Connected {
  producer: Producer;
  /** Sends under way. */
  busy: number;
  discarded: boolean;
}

interface Sending {
  /** kafkajs has the records. */
  begun: boolean;
  /** Why the last attempt failed. */
  trouble: unknown;
}

const firstPauseMs = 100;
const longestPauseMs = 2_000;
/** A topic that was made a moment ago may not be known everywhere. */
const looksForTopic = 3;

/**
 * Job: writes records to any topic.
 * Boundary: one connection for all who send; what a record means is theirs.
 * Invariants:
 * 1. Resolved means that all replicas in sync have every record.
 * 2. A send ends within its time, whatever the broker does.
 * 3. A record is repeated only under the number it had before, which the broker drops when it has it: where that number
 *    is lost, the send ends as 'unknown' instead of being written twice.
 * 4. 'not-sent' is said only when no byte of a record can have left, or the broker refused it.
 * 5. A connection that failed is replaced by the next send; those under way on it are not cut off.
 */
export class KafkaProducer implements BusProducer {
  #connecting: Promise<Connected> | null = null;
  #closed = false;
  /** How often each record was numbered and handed to a broker, and for which partition. */
  readonly #placed = new WeakMap<Message, { partition: number; times: number }>();

  constructor(private readonly options: KafkaProducerOptions) {}

  async send(topic: string, messages: readonly BusMessage[], options: SendOptions = {}): Promise<SentMessage[]> {
    if (messages.length === 0) return [];
    const { timers = systemTimers, timeoutMs: limit = 30_000 } = this.options;
    const { timeoutMs = limit, signal: wanted } = options;
    const over = new AbortController();
    const signal = wanted ? AbortSignal.any([wanted, over.signal]) : over.signal;
    const records = messages.map(recordOf);
    const sending: Sending = { begun: false, trouble: null };
    const ended = new AbortController();
    const deadline = async (): Promise<never> => {
      await timers.sleep(timeoutMs, wanted ? AbortSignal.any([wanted, ended.signal]) : ended.signal);
      over.abort();
      const isAborted = wanted?.aborted === true;
      const why = isAborted ? 'it was called off' : `Kafka did not acknowledge it within ${timeoutMs} ms`;
      const outcome = sending.begun || this.#times(records) > 0 ? 'unknown' : 'not-sent';
      const trouble =
        sending.trouble === null ? '' : ` ${rootOf(sending.trouble).message}. ${remedyOf(sending.trouble)}`;
      const text = `Not sent to "${topic}": ${why}.${trouble}`.trim();
      throw new SendFailed(text, isAborted ? 'aborted' : 'away', outcome, { cause: sending.trouble });
    };
    try {
      return await Promise.race([this.#attempts(topic, records, sending, signal, options.begin), deadline()]);
    } finally {
      ended.abort();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connecting = this.#connecting;
    this.#connecting = null;
    const connected = await connecting?.catch(() => null);
    if (connected) await this.#disconnect(connected);
  }

  async #attempts(
    topic: string,
    records: Message[],
    sending: Sending,
    signal: AbortSignal,
    begin: SendOptions['begin'],
  ): Promise<SentMessage[]> {
    const { timers = systemTimers } = this.options;
    let numberedBy: Connected | null = null;
    for (let attempt = 1; ; attempt += 1) {
      let connected: Connected | null = null;
      try {
        connected = await this.#connected();
        if (signal.aborted) throw new Error('It is too late to send.');
        if (numberedBy && numberedBy !== connected)
          throw this.#failed(topic, new Error('The connection is another.'), 'unknown');
        this.#begin(topic, records, begin);
        sending.begun = true;
        connected.busy += 1;
        const before = this.#times(records);
        try {
          const answers = await connected.producer.send({ topic, acks: -1, timeout: 10_000, messages: records });
          return this.#places(records, answers);
        } finally {
          connected.busy -= 1;
          sending.begun = false;
          if (this.#times(records) > before) numberedBy = connected;
          if (connected.discarded && connected.busy === 0) void this.#disconnect(connected);
        }
      } catch (error) {
        if (error instanceof SendFailed || signal.aborted) throw error;
        sending.trouble = error;
        this.#judge(topic, records, error, attempt, connected);
      }
      await timers.sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)), signal);
      if (signal.aborted) throw new Error('It is too late to send.');
    }
  }

  #begin(topic: string, records: readonly Message[], begin: SendOptions['begin']): void {
    try {
      begin?.();
    } catch (error) {
      const outcome = this.#times(records) > 0 ? 'unknown' : 'not-sent';
      const why = error instanceof Error ? error.message : String(error);
      throw new SendFailed(`Not sent to "${topic}": ${why}`, 'aborted', outcome, { cause: error });
    }
  }

  /** Throws when another attempt would not help or could repeat. */
  #judge(topic: string, records: Message[], error: unknown, attempt: number, connected: Connected | null): void {
    const times = this.#times(records);
    const partitions = new Set(records.map((record) => this.#placed.get(record)?.partition));
    const isSure = times === 0 || (times === 1 && partitions.size === 1 && isRefusal(error));
    if (connected === null || isNumberingLost(error)) this.#discard(connected);
    const fault = lastingFault(error);
    const isNewTopic = fault === 'no-such-topic' && rootOf(error).type === 'UNKNOWN_TOPIC_OR_PARTITION';
    const mayPass = fault === null || (isNewTopic && attempt < looksForTopic);
    if (mayPass && !(isNumberingLost(error) && times > 0)) {
      this.options.logger.debug({ err: error, topic, attempt }, 'records could not be sent; once more');
      return;
    }
    throw this.#failed(topic, error, isSure ? 'not-sent' : 'unknown');
  }

  #failed(topic: string, error: unknown, outcome: 'not-sent' | 'unknown'): SendFailed {
    const fault = lastingFault(error) ?? 'refused';
    const text = `Not sent to "${topic}": ${rootOf(error).message.replace(/\.?$/, '.')} ${remedyOf(error)}`.trim();
    return new SendFailed(text, fault, outcome, { cause: error });
  }

  #connected(): Promise<Connected> {
    if (this.#closed) throw new SendFailed('The producer is closed: the service ends.', 'aborted', 'not-sent');
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async #connect(): Promise<Connected> {
    const producer = this.options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The fewest that kafkajs lets an idempotent producer have: the attempts are ours.
      retry: { retries: 1 },
      createPartitioner: () => this.#partitioner(),
    });
    await producer.connect();
    return { producer, busy: 0, discarded: false };
  }

  /** As Java's clients do; a record stays where it was first placed, so that its number holds. */
  #partitioner(): ReturnType<typeof Partitioners.DefaultPartitioner> {
    const choose = Partitioners.DefaultPartitioner();
    return (given) => {
      const { message } = given;
      const placed = this.#placed.get(message);
      if (placed) placed.times += 1;
      const partition = placed?.partition ?? choose(given);
      if (!placed) this.#placed.set(message, { partition, times: 1 });
      return partition;
    };
  }

  #times(records: readonly Message[]): number {
    return Math.max(...records.map((record) => this.#placed.get(record)?.times ?? 0));
  }

  #places(records: readonly Message[], answers: readonly RecordMetadata[]): SentMessage[] {
    const next = new Map(answers.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? '-1')]));
    return records.map((record) => {
      const partition = this.#placed.get(record)?.partition ?? 0;
      const offset = next.get(partition) ?? -1n;
      next.set(partition, offset + 1n);
      return { partition, offset: offset.toString() };
    });
  }

  #discard(connected: Connected | null): void {
    this.#connecting = null;
    if (!connected) return;
    connected.discarded = true;
    if (connected.busy === 0) void this.#disconnect(connected);
  }

  async #disconnect({ producer }: Connected): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.options.logger.debug({ err: error }, 'a producer could not be disconnected');
    }
  }
}

function remedyOf(error: unknown): string {
  const { name, message } = rootOf(error);
  const known = remedyFor(`${name} ${message}`);
  if (known !== '') return known;
  switch (lastingFault(error)) {
    case 'no-such-topic':
      return 'Create the topic, or correct its name.';
    case 'not-allowed':
      return 'Give the user of Baton the right to write to it.';
    case 'too-large':
      return 'Send less, or raise max.message.bytes of the topic.';
    default:
      return '';
  }
}

function recordOf({ key, value, headers }: BusMessage): Message {
  return { key: key ?? null, value, ...(headers === undefined ? {} : { headers }) };
}
