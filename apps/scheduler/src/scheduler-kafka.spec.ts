import { createMetrics } from '@baton/telemetry';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scheduler } from './scheduler.js';
import { Cell, quietLogger } from './testing/cell.fixture.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the scheduler over a real Kafka broker; ${missing}`);

describe.runIf(missing === null)('with Kafka as the bus', () => {
  let cell: Cell;
  let broker: KafkaBroker;
  beforeAll(async () => {
    [cell, broker] = await Promise.all([Cell.open(), kafkaBroker()]);
  }, 240_000);
  afterAll(async () => {
    await cell.close();
    await broker.stop();
  });

  const scheduler = (brokers: string) =>
    new Scheduler(
      {
        databaseUrl: cell.url,
        host: '127.0.0.1',
        port: 0,
        cell: 'c1',
        notify: false,
        pollMs: 20,
        connections: 4,
        logLevel: 'info',
        kafka: { brokers, topics: { partitions: 3, replication: 1 } },
      },
      quietLogger,
      createMetrics('scheduler', '1'),
    );

  it('publishes what the log holds: a subscriber gets each event once and in order, from two schedulers', async () => {
    const both = [scheduler(broker.brokers), scheduler(broker.brokers)] as const;
    const seen: string[] = [];
    let mine = '';
    const done = Promise.withResolvers<void>();
    const subscription = both[0].bus.subscribe({
      subscriber: 'spec',
      mode: 'inbox',
      events: new Set(['*']),
      handle: async (event) => {
        if (event.subject !== mine) return;
        seen.push(event.name);
        if (event.name === 'process.scheduled') done.resolve();
      },
    });
    await Promise.all([...both.map((one) => one.start()), subscription.start()]);
    mine = await cell.request();
    await done.promise;
    expect(seen).toEqual(['process.requested', 'process.scheduled']);
    await subscription.stop();
    await Promise.all(both.map((one) => one.stop()));
  });

  it('admits with no broker at all: the bus makes it fast, the log makes it right', async () => {
    const one = scheduler('127.0.0.1:9');
    await one.start();
    const stream = await cell.request();
    while (!(await cell.types(stream)).includes('ProcessScheduled'));
    while (one.health().checks['admission'] !== 'ok') await cell.types(stream);
    await one.stop();
  });
});
