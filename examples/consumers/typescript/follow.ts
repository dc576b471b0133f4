// Follows every process over Kafka: each event once, in order, and nothing missing.
//
//   node follow.ts --brokers localhost:9092 [--group my-group] [--topic baton.process]
//                  [--url http://localhost:7400 --token TOKEN]      to fetch what is missing
//
// Prints one JSON object a line. Needs Node.js 24 and `npm install kafkajs`; no code of Baton's.
import { parseArgs } from 'node:util';
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { Follower, type Received } from './follower.ts';

const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string', default: 'localhost:9092' },
    group: { type: 'string', default: 'example-follower' },
    topic: { type: 'string', default: 'baton.process' },
    url: { type: 'string' },
    token: { type: 'string' },
  },
});
const tell = (line: object) => console.log(JSON.stringify(line));
const follower = new Follower();

/** Your own business: one event, once. What it does and the offset are two things: make it bear a repetition. */
function handle(event: Received & { type: string; data: unknown }): void {
  tell({ what: 'event', process: event.subject, sequence: event.sequence, type: event.type, id: event.id });
}

async function take(message: KafkaMessage): Promise<void> {
  const header = (name: string) => String(message.headers?.[name] ?? '');
  const received: Received = {
    id: header('ce_id'),
    subject: header('ce_subject'),
    sequence: Number(header('ce_sequence')),
  };
  const about = { process: received.subject, sequence: received.sequence, id: received.id };
  const finding = follower.receive(received);
  if (finding.what === 'repetition') {
    tell({ what: 'repetition', ...about });
    return;
  }
  if (finding.what === 'gap') await fill(received.subject, finding.from, finding.to);
  let data: unknown = message.value === null ? null : JSON.parse(message.value.toString('utf8'));
  // Too long for a record: its data says where to get it.
  const elsewhere = header('ce_dataref');
  if (elsewhere !== '' && options.url !== undefined) data = (await fetchEvents(elsewhere))[0]?.data;
  handle({ ...received, type: header('ce_type'), data });
}

/** What never came is read from the REST API; without one, the gap is told. */
async function fill(subject: string, from: number, to: number): Promise<void> {
  tell({ what: 'gap', process: subject, from, to });
  if (options.url === undefined) return;
  const page = `/v1/processes/${encodeURIComponent(subject)}/events?after=${from - 1}&limit=${Math.min(to - from + 1, 1000)}`;
  for (const { id, sequence, type, data } of await fetchEvents(page)) {
    if (sequence > to || follower.receive({ id, subject, sequence }).what === 'repetition') continue;
    tell({ what: 'fetched', process: subject, sequence, type, id });
    handle({ id, subject, sequence, type, data });
  }
}

async function fetchEvents(path: string): Promise<{ id: string; sequence: number; type: string; data: unknown }[]> {
  const response = await fetch(new URL(path, options.url), { headers: { authorization: `Bearer ${options.token}` } });
  // Thrown: the batch is taken again from here, so nothing is skipped while the REST API is away.
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return ((await response.json()) as { items: { id: string; sequence: number; type: string; data: unknown }[] }).items;
}

/** Offsets move behind the work, message by message: a crash repeats, it never skips. */
async function eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
  for (const message of batch.messages) {
    if (!isRunning() || isStale()) return;
    await take(message);
    resolveOffset(message.offset);
    await heartbeat();
  }
}

const kafka = new Kafka({
  clientId: 'example-follower',
  brokers: options.brokers.split(','),
  logLevel: logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: options.group });
consumer.on(consumer.events.CRASH, ({ payload }) => console.error(payload.error.message));
await consumer.connect();
await consumer.subscribe({ topic: options.topic, fromBeginning: true });
await consumer.run({ eachBatchAutoResolve: false, eachBatch });
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    consumer.disconnect().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
