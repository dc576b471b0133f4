import { randomBytes } from 'node:crypto';
import { ensureTopics, kafkaClient, systemTimers, TopicConsumer, type TopicConsumerOptions } from '@baton/bus';
import { requestEventType } from '@baton/contracts';
import { newApiToken } from '@baton/security';
import { createLogger, createMetrics } from '@baton/telemetry';
import { type KafkaBroker, kafkaBroker, kafkaMissing, type TestDatabase, testDatabase } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IntakeParts, wireIntake } from '../../intake.wiring.js';
import { migrateAll } from '../../migrate.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: requests over a real Kafka broker; ${missing}`);

const topic = 'shop.baton.request';
const deadTopic = 'shop.baton.dead-letter';
const logger = createLogger({ service: 'intake-test', level: 'silent' });
const definition = `kind: Process
name: hello
inputs: { who: { type: string, maxLength: 20 } }
operators:
  greet: { type: set, value: "hi \${{ inputs.who }}" }
`;

describe.runIf(missing === null)('requests by topic', () => {
  let broker: KafkaBroker;
  let database: TestDatabase;
  let secretKey: string;
  let parts: IntakeParts;
  let kafka: ReturnType<typeof kafkaClient>;
  let producer: ReturnType<ReturnType<typeof kafkaClient>['producer']>;
  const made = { operator: newApiToken(), viewer: newApiToken(), expired: newApiToken(), revoked: newApiToken() };
  const settings = () => ({ brokers: broker.brokers, topics: { prefix: 'shop.', partitions: 3, replication: 1 } });

  async function intake(): Promise<IntakeParts> {
    const config = { databaseUrl: database.url, cell: 'c1', secretKey, notify: true, connections: 4 };
    const given = { logger, metrics: createMetrics('intake'), operators: [] };
    const wired = await wireIntake({ ...config, kafka: settings() }, given);
    await wired.start();
    return wired;
  }

  beforeAll(async () => {
    secretKey = randomBytes(32).toString('base64');
    [broker, database] = await Promise.all([
      kafkaBroker(),
      testDatabase({ migrate: { name: 'intake', run: (url) => migrateAll(url, console.error) } }),
    ]);
    kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, logger);
    await ensureTopics(kafka, settings().topics);
    parts = await intake();
    const { catalogue, definitions } = parts.services;
    await definitions.publish(definition, 'test');
    for (const [name, { id, hash }] of Object.entries(made)) {
      const role = name === 'viewer' ? ('viewer' as const) : ('operator' as const);
      const expiresAt = name === 'expired' ? new Date(0).toISOString() : null;
      await catalogue.tokens.add({ id, hash, name, role, groups: ['shop'], createdBy: 'test', expiresAt });
    }
    await catalogue.tokens.revoke(made.revoked.id);
    producer = kafka.producer();
    await producer.connect();
  }, 240_000);
  afterAll(async () => {
    await producer?.disconnect();
    await parts?.stop();
    await database?.drop();
    await broker?.stop();
  });

  const binary = (id: string, token: string | null, more: Record<string, string> = {}) => ({
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: '/shop',
    ce_type: requestEventType,
    ...(token === null ? {} : { ce_batontoken: token }),
    ...more,
  });
  const wish = (who: string) => JSON.stringify({ definition: 'hello', inputs: { who }, labels: { by: 'topic' } });
  async function send(headers: Record<string, string>, value: string | null, key = 'customer-1', partition = 0) {
    const [place] = await producer.send({ topic, messages: [{ key, value, headers, partition }] });
    return String(place?.baseOffset);
  }
  /** Until a query has rows. */
  async function rows<Row extends object>(text: string, values: unknown[], enough = 1): Promise<Row[]> {
    for (;;) {
      const { rows: found } = await database.pool.query<Row>(text, values);
      if (found.length >= enough) return found;
    }
  }
  interface Requested {
    stream_id: string;
    data: { requester: object; inputs: { who: string }; trigger?: object; labels: object };
    metadata: { traceparent?: string; actor?: string };
  }
  const started = (who: string, enough = 1) =>
    rows<Requested>(
      "select stream_id, data, metadata from event where type = 'ProcessRequested' and data->'inputs'->>'who' = $1",
      [who],
      enough,
    );

  /** Reads the dead letters from the beginning until one stood at that place. */
  async function deadLetter(offset: string) {
    const consumer = kafka.consumer({ groupId: `reader-${randomBytes(4).toString('hex')}` });
    await consumer.connect();
    await consumer.subscribe({ topic: deadTopic, fromBeginning: true });
    const found = Promise.withResolvers<{ key: string; value: string; headers: Record<string, string> }>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        const headers = Object.fromEntries(
          Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
        );
        if (headers['baton_offset'] !== offset) return;
        found.resolve({ key: String(message.key), value: String(message.value), headers });
      },
    });
    const letter = await found.promise;
    await consumer.disconnect();
    return letter;
  }
  /** What was sent before has been settled when this one has. */
  async function settled() {
    const who = `m${randomBytes(4).toString('hex')}`;
    await send(binary(who, made.operator.token), wish(who));
    await started(who);
  }

  it('starts a process as whoever the token belongs to, within the trace of the sender; the trigger says from where', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const offset = await send(binary('w-1', made.operator.token, { traceparent }), wish('ann'));
    const [process] = await started('ann');
    expect(process?.data).toMatchObject({
      requester: { id: 'operator', groups: ['shop'] },
      labels: { by: 'topic' },
      trigger: { type: 'topic', topic, partition: 0, offset: Number(offset), source: '/shop', id: 'w-1' },
    });
    expect(process?.metadata).toMatchObject({ traceparent, actor: 'operator' });
    expect(JSON.stringify(process)).not.toContain(made.operator.token);
  });

  it('takes a structured event', async () => {
    const event = {
      specversion: '1.0',
      id: 's-1',
      source: '/shop',
      type: requestEventType,
      batontoken: made.operator.token,
      data: { definition: 'hello', inputs: { who: 'structured' } },
    };
    await send({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event));
    expect(await started('structured')).toHaveLength(1);
  });

  it('starts one process, however often the event is sent, also to another partition', async () => {
    for (let time = 0; time < 3; time++)
      await send(binary('again', made.operator.token), wish('again'), 'customer-1', time);
    await started('again');
    await settled();
    expect(await started('again')).toHaveLength(1);
  });

  it('refuses another request under the same source and id', async () => {
    await send(binary('reused', made.operator.token), wish('first'));
    await started('first');
    const offset = await send(binary('reused', made.operator.token), wish('second'));
    expect((await deadLetter(offset)).headers['baton_problem']).toContain('key-reused');
  });

  it('asks as the account of the topic, when the cluster names one and the event brings no token', async () => {
    const refused = await send(binary('nobody', null), wish('nobody'));
    expect((await deadLetter(refused)).headers['baton_problem']).toContain('unauthenticated');
    const { settingRows, settings: cluster } = parts.services.catalogue;
    const account = { name: 'shop-topic', role: 'operator' as const, groups: ['web'] };
    await settingRows.change({ 'bus.requestAccount': account }, 'test');
    await cluster.refresh();
    try {
      await send(binary('somebody', null), wish('somebody'));
      const [process] = await started('somebody');
      expect(process?.data.requester).toEqual({ id: 'shop-topic', groups: ['web'] });
      // A token that does not hold is not made up for by the account.
      const offset = await send(binary('over', made.expired.token), wish('over'));
      expect((await deadLetter(offset)).headers['baton_reason']).toContain('expired');
    } finally {
      await settingRows.change({ 'bus.requestAccount': undefined }, 'test');
      await cluster.refresh();
    }
  });

  const bad: [string, () => Record<string, string>, string, string][] = [
    ['bad JSON', () => binary('b-1', made.operator.token), '{"definition":', 'bad-request'],
    ['an unknown definition', () => binary('b-2', made.operator.token), '{"definition":"helo"}', 'unknown-definition'],
    ['inputs that do not fit', () => binary('b-3', made.operator.token), wish('x'.repeat(30)), 'invalid'],
    ['a role that may not', () => binary('b-4', made.viewer.token), wish('viewer'), 'not-allowed'],
    ['a revoked token', () => binary('b-5', made.revoked.token), wish('revoked'), 'unauthenticated'],
    ['an unknown token', () => binary('b-6', newApiToken().token), wish('unknown'), 'unauthenticated'],
    ['no CloudEvent', () => ({ authorization: `Bearer ${made.operator.token}` }), wish('plain'), 'bad-request'],
  ];
  it.each(bad)(
    'a record with %s goes to the dead letters, with key, place, reason and problem, and no token',
    async (_, headersOf, value, code) => {
      const headers = headersOf();
      const offset = await send(headers, value, 'customer-7');
      const letter = await deadLetter(offset);
      expect(letter).toMatchObject({ key: 'customer-7', value });
      expect(letter.headers).toMatchObject({
        baton_topic: topic,
        baton_partition: '0',
        baton_offset: offset,
        baton_subscriber: 'request-topic',
      });
      expect(letter.headers['baton_reason']?.length).toBeGreaterThan(10);
      expect(JSON.parse(letter.headers['baton_problem'] ?? '')).toMatchObject({
        code,
        type: `urn:baton:problem:${code}`,
      });
      const token = headers['ce_batontoken'] ?? made.operator.token;
      const [row] = await rows<{ all: string }>(
        "select bus_dead_letter::text as all from bus_dead_letter where origin->>'offset' = $1",
        [offset],
      );
      expect(JSON.stringify([letter, row])).not.toContain(token.slice(16));
    },
  );

  describe('a refused request that is replayed', () => {
    async function replayed(offset: string) {
      const [row] = await rows<{ id: string }>("select id from bus_dead_letter where origin->>'offset' = $1", [offset]);
      const id = row?.id ?? '';
      await parts.services.bus.replay(id, 'test');
      for (;;) {
        const letter = await parts.services.bus.deadLetter(id);
        if (letter?.replayRequestedAt === null) return letter;
      }
    }

    it('starts its process as the account of the topic, once there is one, and never before', async () => {
      const offset = await send(binary('later', null), wish('later'));
      expect(await replayed(offset)).toMatchObject({
        replayedAt: null,
        replayError: expect.stringContaining('no account'),
      });
      const { settingRows, settings: cluster } = parts.services.catalogue;
      const account = { name: 'shop-topic', role: 'operator' as const, groups: ['web'] };
      await settingRows.change({ 'bus.requestAccount': account }, 'test');
      await cluster.refresh();
      try {
        expect(await replayed(offset)).toMatchObject({ replayedAt: expect.any(String), replayError: null });
        const [process] = await started('later');
        expect(process?.data.requester).toEqual({ id: 'shop-topic', groups: ['web'] });
        // What came with a token is nobody's request now: the account does not stand in for it.
        const expired = await send(binary('gone', made.expired.token), wish('gone'));
        expect(await replayed(expired)).toMatchObject({
          replayedAt: null,
          replayError: expect.stringMatching(/token/),
        });
        const bad = await send(binary('bad', null), '{"definition":');
        expect(await replayed(bad)).toMatchObject({ replayedAt: null, replayError: expect.stringMatching(/JSON/i) });
      } finally {
        await settingRows.change({ 'bus.requestAccount': undefined }, 'test');
        await cluster.refresh();
      }
    });
  });

  it('starts nothing twice when every record is delivered again from the first', async () => {
    await settled();
    const count = async () =>
      (await database.pool.query("select count(*)::int as n from event where type = 'ProcessRequested'")).rows[0].n;
    const before = await count();
    await parts.stop();
    const admin = kafka.admin();
    await admin.connect();
    await admin.resetOffsets({ groupId: 'shop.baton.request-topic', topic, earliest: true });
    await admin.disconnect();
    parts = await intake();
    // One in each partition: behind everything that comes again.
    const last = ['l0', 'l1', 'l2'];
    for (const [partition, who] of last.entries())
      await send(binary(who, made.operator.token), wish(who), 'last', partition);
    for (const who of last) await started(who);
    expect(await count()).toBe(before + last.length);
  });

  it('starts one process when an intake is killed between its commit and the offset', async () => {
    await settled();
    await send(binary('cut', made.operator.token), wish('cut'));
    await started('cut');
    await parts.stop();
    const admin = kafka.admin();
    await admin.connect();
    // As it was before the offset moved: the process stands, the group does not know it.
    const at = await admin.fetchTopicOffsets(topic);
    const partitions = at.map(({ partition, high }) => ({
      partition,
      offset: partition === 0 ? String(Math.max(0, Number(high) - 1)) : high,
    }));
    await admin.setOffsets({ groupId: 'shop.baton.request-topic', topic, partitions });
    await admin.disconnect();
    parts = await intake();
    await settled();
    expect(await started('cut')).toHaveLength(1);
  });

  it('moves no offset before what it has taken is settled', async () => {
    const reached = Promise.withResolvers<void>();
    const reader = (handle: TopicConsumerOptions['handle']) =>
      new TopicConsumer({
        kafka,
        groupId: 'spec-unsettled',
        topics: async () => [topic],
        handle,
        timers: systemTimers,
        logger,
      });
    // Killed while it works: its promise never resolves but by the end.
    const killed = reader(async (_, signal) => {
      reached.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('killed'))));
    });
    killed.start();
    await reached.promise;
    await killed.stop();
    const again = Promise.withResolvers<void>();
    const taken: string[] = [];
    const next = reader(async (records) => {
      taken.push(...records.map(({ offset }) => offset));
      again.resolve();
    });
    next.start();
    await again.promise;
    await next.stop();
    expect(taken).toContain('0');
  });
});
