import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type KafkaBroker, kafkaBroker } from '@baton/testing';
import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { EffectTarget } from '../e2e/effect.target.js';
import { eventually } from '../e2e/patience.js';
import { StandaloneProcess } from '../e2e/standalone.process.js';
import { AsyncApiContract, type KafkaRecord } from './asyncapi.contract.js';
import { ExampleConsumer } from './example.consumer.js';
import { harvest } from './process.harvest.js';
import { readTopic, strangersKafka } from './topic.reader.js';

const run = promisify(execFile);
const follow = resolve(import.meta.dirname, '../../examples/consumers/kcat/follow.sh');
const golden = resolve(import.meta.dirname, '../golden/events');

const sampleSchema = z.object({ type: z.string(), data: z.unknown() });

let broker: KafkaBroker;
let baton: StandaloneProcess;
let target: EffectTarget;
let contract: AsyncApiContract;
let processes: string[];
let records: KafkaRecord[];
const consumers: ExampleConsumer[] = [];
const started = (consumer: ExampleConsumer): ExampleConsumer => {
  consumers.push(consumer);
  return consumer;
};
let typescript: ExampleConsumer;
let java: ExampleConsumer;

const idOf = ({ headers }: KafkaRecord) => headers['ce_id'] ?? '';
const subjectOf = ({ headers }: KafkaRecord) => headers['ce_subject'] ?? '';
const sequenceOf = ({ headers }: KafkaRecord) => Number(headers['ce_sequence']);
const sorted = (given: readonly (string | undefined)[]) => given.map(String).toSorted((a, b) => (a < b ? -1 : 1));
const idsOf = (given: readonly { id?: string | undefined }[]) => sorted(given.map(({ id }) => id));

beforeAll(async () => {
  [broker, target] = await Promise.all([kafkaBroker(), EffectTarget.start()]);
  baton = new StandaloneProcess();
  const { brokers } = broker;
  await baton.start(['--executors', '2', '--brokers', brokers, '--allow-address', '127.0.0.1/32']);
  const { url, token } = baton.told();
  // All that a stranger is given: the address of the brokers and of this document.
  contract = new AsyncApiContract(await (await fetch(`${url}/asyncapi.json`)).json());
  await eventually(async () => {
    const admin = strangersKafka(brokers).admin();
    await admin.connect();
    const there = await admin.listTopics();
    await admin.disconnect();
    return there.includes('baton.process');
  });
  typescript = started(ExampleConsumer.typescript(brokers, 'baton.process', { url, token }));
  java = started(ExampleConsumer.java(brokers, 'baton.process'));
  const client = baton.client({ patienceMs: 60_000 });
  processes = await harvest(baton, client, target);
  const pages = await Promise.all(processes.map((id) => client.events(id, { limit: 1000 })));
  const logged = idsOf(pages.flatMap(({ items }) => items));
  records = await eventually(async () => {
    const read = await readTopic(brokers, 'baton.process');
    return new Set(read.map(idOf)).size >= logged.length && read;
  }, 500);
  expect(idsOf([...new Set(records.map(idOf))].map((id) => ({ id })))).toEqual(logged);
}, 400_000);
afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await baton?.remove();
  await target?.close();
  await broker?.stop();
});

it('every record that the broker holds is a message of the AsyncAPI document, key, headers and data', async () => {
  const topics = contract.topics.filter((topic) => topic !== 'baton.request');
  const held = (await Promise.all(topics.map((topic) => readTopic(broker.brokers, topic)))).flat();
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const record of held) {
    const judged = contract.judge(record);
    if ('fault' in judged) faults.push(judged.fault);
    else seen.add(judged.message === 'DataReference' ? (record.headers['ce_eventtype'] ?? '') : judged.message);
    if (record.topic !== 'baton.dead-letter' && record.key !== record.headers['ce_subject'])
      faults.push(`the key is ${record.key}, the subject ${record.headers['ce_subject']}`);
  }
  expect(faults).toEqual([]);
  expect(held.length).toBeGreaterThan(80);
  const unseen = [...contract.messagesOf('baton.process'), ...contract.messagesOf('baton.cluster')].filter(
    (name) => !seen.has(name) && name !== 'DataReference',
  );
  console.log(`${held.length} records of ${seen.size} types; not seen, held to golden samples: ${unseen.join(', ')}`);
  const samples = new Map(
    readdirSync(golden).map((file) => {
      const { type, data } = sampleSchema.parse(JSON.parse(readFileSync(resolve(golden, file), 'utf8')));
      return [type, data];
    }),
  );
  for (const name of unseen) {
    const [example] = contract.examples(name);
    const record = { topic: 'baton.process', key: 'k', headers: example!.headers, value: samples.get(name) };
    expect(contract.judge(record)).toEqual({ message: name });
  }
  // What cannot be brought about yet comes with its own operators: workers, agents, locks and windows.
  expect(sorted(unseen)).toEqual(['CommandDone', 'JobDone', 'OperatorAdmitted', 'OperatorWaiting']);
});

it('a planted fault in a record is found by the document', () => {
  const sound = records.find(({ headers }) => headers['ce_eventtype'] === 'OperatorCompleted')!;
  const headers = (more: Record<string, string>) => ({ ...sound, headers: { ...sound.headers, ...more } });
  expect(contract.judge(sound)).toEqual({ message: 'OperatorCompleted' });
  expect(contract.judge({ ...sound, value: { path: 'a' } })).toHaveProperty('fault');
  expect(contract.judge(headers({ ce_sequence: '7' }))).toHaveProperty('fault');
  expect(contract.judge(headers({ ce_type: 'baton.process.operator-finished.v1' }))).toHaveProperty('fault');
  expect(contract.judge({ ...sound, topic: 'baton.cluster' })).toHaveProperty('fault');
});

it('the events of a process come in the order of their sequence, gapless, though executors were killed', () => {
  for (const id of processes) {
    let highest = 0;
    for (const record of records.filter((one) => subjectOf(one) === id)) {
      expect(sequenceOf(record)).toBeLessThanOrEqual(highest + 1);
      highest = Math.max(highest, sequenceOf(record));
    }
    expect(highest).toBeGreaterThan(2);
  }
  const lost = records.some(({ headers }) => headers['ce_eventtype'] === 'ProcessTakenOver');
  expect(lost).toBe(true);
});

it('an event too long for a record is a reference that leads to it', async () => {
  const reference = records.find(({ headers }) => 'ce_dataref' in headers)!;
  const { url, token } = baton.told();
  const { href } = (reference.value as { reference: { href: string } }).reference;
  const answer = await fetch(new URL(href, url), { headers: { authorization: `Bearer ${token}` } });
  const { items } = (await answer.json()) as { items: { id: string; data: { inputs: { ballast: string } } }[] };
  expect(items.map(({ id }) => id)).toEqual([idOf(reference)]);
  expect(items[0]?.data.inputs.ballast.length).toBeGreaterThan(200_000);
});

it('kcat reads keys and headers', async () => {
  const options = ['-C', '-q', '-e', '-b', broker.brokers, '-t', 'baton.process', '-o', 'beginning'];
  const { stdout } = await run('kcat', [...options, '-f', '%k\\t%h\\n'], { maxBuffer: 1e8 });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(sorted(lines.map(([key]) => key))).toEqual(sorted(records.map(({ key }) => key)));
  const ids = lines.map(([, headers]) => /(?:^|,)ce_id=([^,]+)/.exec(headers ?? '')?.[1]);
  expect(sorted(ids)).toEqual(sorted(records.map(idOf)));
});

it('the consumers in TypeScript and Java take every event once, and drop what is published again', async () => {
  const all = idsOf([...new Set(records.map(idOf))].map((id) => ({ id })));
  const once = [typescript, java];
  for (const consumer of once) await consumer.until(() => new Set(idsOf(consumer.of('event'))).size === all.length);
  const again = records.slice(0, 40);
  await produce('baton.process', again);
  for (const consumer of once) {
    await consumer.until(() => consumer.of('repetition').length >= again.length);
    expect(idsOf(consumer.of('event'))).toEqual(all);
    expect(consumer.of('gap')).toEqual([]);
  }
});

it('a gap is found by both; the one in TypeScript fetches what is missing through REST', async () => {
  const topic = `copy-${randomUUID()}`;
  const [subject] = processes;
  const whole = records.filter((record) => subjectOf(record) === subject);
  const isMissing = (record: KafkaRecord) => [3, 4, 7].includes(sequenceOf(record));
  await produce(
    topic,
    whole.filter((record) => !isMissing(record)),
  );
  const { url, token } = baton.told();
  const fetching = started(ExampleConsumer.typescript(broker.brokers, topic, { url, token }));
  const telling = started(ExampleConsumer.java(broker.brokers, topic));
  const gaps = [
    { what: 'gap', process: subject, from: 3, to: 4 },
    { what: 'gap', process: subject, from: 7, to: 7 },
  ];
  const unique = new Set(whole.map(idOf));
  await fetching.until(() => fetching.of('event').length === unique.size);
  expect(fetching.of('gap')).toEqual(gaps);
  expect(fetching.of('fetched').map(({ sequence }) => sequence)).toEqual([3, 4, 7]);
  expect(fetching.of('event').map(({ sequence }) => sequence)).toEqual([...unique].map((_, index) => index + 1));
  await telling.until(() => telling.of('event').length === unique.size - 3);
  expect(telling.of('gap')).toEqual(gaps);
  // Published again, what was missing is new, and the rest is not.
  await produce(topic, whole);
  await telling.until(() => telling.of('repetition').length === whole.length - 3);
  expect(telling.of('event').length).toBe(unique.size);
});

it('a request written as the document describes it starts one process, a bad one becomes a dead letter', async () => {
  const { token } = baton.told();
  const [example] = contract.examples('ProcessRequest');
  const team = randomUUID();
  const request = (id: string, payload: object): KafkaRecord => ({
    topic: 'baton.request',
    key: 'ci',
    headers: { ...example!.headers, ce_id: id, ce_batontoken: token },
    value: payload,
  });
  const good = request(randomUUID(), { definition: 'contract/child', labels: { team } });
  expect(contract.judge(good)).toEqual({ message: 'ProcessRequest' });
  const bad = request(randomUUID(), { definition: 'contract/nowhere' });
  await produce('baton.request', [good, good, bad]);
  const letter = await eventually(async () => {
    const letters = await readTopic(broker.brokers, 'baton.dead-letter');
    return letters.find((one) => idOf(one) === idOf(bad));
  }, 500);
  expect(contract.judge(letter)).toEqual({ message: 'DeadLetter' });
  expect(letter).toMatchObject({ key: 'ci', value: bad.value, headers: { baton_topic: 'baton.request' } });
  expect(JSON.stringify(letter)).not.toContain(token);
  // The three came in this order: what was to be started is in the log, and soon in the list.
  const { items } = await eventually(async () => {
    const page = await baton.client().processes({ labels: { team } });
    return page.items.length > 0 && page;
  });
  expect(items).toHaveLength(1);
});

it('the example in TypeScript is sound by its own compiler settings', async () => {
  const compiler = resolve(import.meta.dirname, '../../node_modules/ts7/bin/tsc');
  const project = resolve(import.meta.dirname, '../../examples/consumers/typescript/tsconfig.json');
  await expect(run(process.execPath, [compiler, '-p', project])).resolves.toMatchObject({ stdout: '' });
});

it('the line of kcat prints each event of a process once', async () => {
  const [subject = ''] = processes;
  const { stdout } = await run(follow, [broker.brokers, subject], { maxBuffer: 1e8 });
  const sequences = stdout
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]));
  const expected = new Set(records.filter((record) => subjectOf(record) === subject).map(sequenceOf));
  expect(sequences).toEqual([...expected]);
});

async function produce(topic: string, again: readonly KafkaRecord[]): Promise<void> {
  const kafka = strangersKafka(broker.brokers);
  const admin = kafka.admin();
  await admin.connect();
  if (!(await admin.listTopics()).includes(topic))
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const messages = again.map(({ key, headers, value }) => ({ key, headers, value: JSON.stringify(value) }));
  await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None });
  await producer.disconnect();
}
