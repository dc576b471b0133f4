import { kafkaClient } from '@baton/bus';
import { requestEventType } from '@baton/contracts';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from './command.line.js';
import { eventually } from './patience.js';
import { StandaloneProcess } from './standalone.process.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the bus from the command line; ${missing}`);

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const definition = 'kind: Process\nname: e2e/asked\noperators: { a: { type: set, value: 1 } }\n';

interface Letter {
  id: string;
  subscriber: string;
  subject: string;
  reason: string;
  replayedAt: string | null;
  replayError: string | null;
}
interface Status {
  transport: string;
  publisher: { holder: string; clusterId: string | null; lagEvents: number; error: string | null } | null;
  subscribers: { name: string; reads: string; lagEvents: number }[];
  deadLetters: number;
  republishing: { id: string; finishedAt: string | null }[];
}

describe.runIf(missing === null)('the bus, from the command line', () => {
  let broker: KafkaBroker;
  let baton: StandaloneProcess;
  let cli: CommandLine;
  let kafka: ReturnType<typeof kafkaClient>;
  let producer: ReturnType<ReturnType<typeof kafkaClient>['producer']>;
  let begin: string;

  beforeAll(async () => {
    broker = await kafkaBroker();
    kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, quiet);
    producer = kafka.producer();
    await producer.connect();
    begin = new Date(Date.now() - 60_000).toISOString();
    baton = new StandaloneProcess();
    await baton.start(['--executors', '1', '--brokers', broker.brokers]);
    cli = new CommandLine(baton.data);
    await baton.client().publish(definition);
  }, 240_000);
  afterAll(async () => {
    await producer?.disconnect();
    await baton?.remove();
    await broker?.stop();
  });

  const status = async () => (await cli.json('bus', 'status')) as Status;
  const letters = async () => (await cli.json('bus', 'dead-letters', '--subscriber', 'request-topic')) as Letter[];
  const letterOf = (subject: string) =>
    eventually(async () => (await letters()).find((letter) => letter.subject === subject));

  async function ask(key: string, value: string): Promise<void> {
    const headers = { ce_specversion: '1.0', ce_id: key, ce_source: '/spec', ce_type: requestEventType };
    await producer.send({ topic: 'baton.request', messages: [{ key, value, headers }] });
  }

  it('the status names the transport, the publisher and its lag, and counts the dead letters', async () => {
    const found = await eventually(async () => {
      const told = await status();
      return typeof told.publisher?.clusterId === 'string' && told.publisher.lagEvents === 0 && told;
    });
    expect(found).toMatchObject({ transport: 'kafka', deadLetters: 0, republishing: [] });
    expect(found.publisher).toMatchObject({ holder: expect.stringMatching(/./), lagEvents: 0, error: null });
    const shown = await cli.run('bus');
    expect(shown.code, shown.err).toBe(0);
    expect(shown.out).toContain(found.publisher?.holder);
    expect(shown.out).toContain('0 dead letters');
  }, 60_000);

  it('a refused request is a dead letter with its reason, and once the topic has an account a replay starts it', async () => {
    await ask('no-account', JSON.stringify({ definition: 'e2e/asked' }));
    await ask('no-json', '{');
    const letter = await letterOf('no-account');
    expect(letter.reason).toContain('the event brings no token, and the topic has no account of its own');
    const broken = await letterOf('no-json');
    expect(broken.reason).toMatch(/JSON/);
    expect((await status()).deadLetters).toBe(2);

    const early = await cli.run('bus', 'replay', letter.id);
    expect(early.code).toBe(1);
    expect(early.err).toContain('bus.requestAccount');
    expect((await baton.client().processes({ definition: 'e2e/asked' })).items).toEqual([]);

    await cli.json('settings', '--set', 'bus.requestAccount={"name":"shop","role":"operator","groups":[]}');
    expect(await cli.json('bus', 'replay', letter.id)).toMatchObject({
      id: letter.id,
      replayedAt: expect.any(String),
      replayError: null,
    });
    // The list follows the log a moment later.
    const items = await eventually(async () => {
      const found = await baton.client().processes({ definition: 'e2e/asked' });
      return found.items.length > 0 && found.items;
    });
    expect(items).toHaveLength(1);
    expect((await baton.client().waitForEnd(items[0]?.id ?? '')).status).toBe('completed');
    expect((await letters()).map(({ id }) => id)).toEqual([broken.id]);

    // What is wrong in the record itself stays wrong, and stays listed.
    const again = await cli.run('bus', 'replay', broken.id, '--json');
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out)).toMatchObject({ replayedAt: null, replayError: expect.stringMatching(/JSON/) });
    expect((await cli.run('bus', 'replay', '01890000-0000-7000-8000-000000000000')).code).toBe(4);
    expect((await cli.run('bus', 'replay')).code).toBe(2);
  }, 60_000);

  it('a range of the log is written to the topics again, with the same ids', async () => {
    const process = (await baton.client().processes({ definition: 'e2e/asked' })).items[0]?.id ?? '';
    const events = (await baton.client().events(process, { limit: 100 })).items.length;
    const seen = new Map<string, number>();
    const consumer = kafka.consumer({ groupId: 'spec-reads' });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: 'baton.process', fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message: { key, headers = {} } }) => {
          const id = String(headers['ce_id']);
          if (String(key) === process) seen.set(id, (seen.get(id) ?? 0) + 1);
        },
      });
      await eventually(async () => seen.size === events);
      const ids = [...seen.keys()];
      expect([...seen.values()].every((times) => times === 1)).toBe(true);

      const job = await cli.json('bus', 'republish', '--from', begin);
      expect(job).toMatchObject({ finishedAt: expect.any(String), error: null });
      expect((job as { published: number }).published).toBeGreaterThanOrEqual(events);
      await eventually(async () => ids.every((id) => seen.get(id) === 2));
      expect([...seen.keys()]).toEqual(ids);
      const one = await cli.json('bus', 'republish', '--process', process, '--from', '1', '--to', '1');
      expect(one).toMatchObject({ published: 1, error: null });
    } finally {
      await consumer.disconnect();
    }
    // A group is known once it has taken something.
    const told = await eventually(async () => {
      const found = await status();
      return found.subscribers.some(({ reads, lagEvents }) => reads === 'baton.request' && lagEvents === 0) && found;
    });
    expect(told.republishing).toHaveLength(2);
    expect(told.deadLetters).toBe(1);
    expect((await cli.run('bus', 'republish')).code).toBe(2);
  }, 60_000);

  it('a viewer may look at it, and is refused to replay or republish', async () => {
    const { token } = (await cli.json('token', 'create', 'looks', '--role', 'viewer')) as { token: string };
    const viewer = cli.as(token);
    for (const args of [
      ['replay', '--all'],
      ['republish', '--from', begin],
    ]) {
      const said = await viewer.run('bus', ...args);
      expect([args[0], said.code, said.err]).toEqual([args[0], 5, expect.stringContaining('role')]);
    }
    expect((await viewer.run('bus', 'status')).code).toBe(0);
  }, 60_000);
});
