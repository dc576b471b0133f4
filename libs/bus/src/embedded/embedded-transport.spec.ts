import { describe, expect, it } from 'vitest';
import { busContract } from '../contract/bus.contract.js';
import { openLog, silentLogger, silentMeter } from '../contract/bus-log.fixture.js';
import { Received } from '../contract/received.js';
import { PostgresDeadLetters, PostgresInbox } from '../inbox/postgres-inbox.js';
import { EmbeddedTransport } from './embedded-transport.js';

busContract('the log itself', async () => {
  const log = await openLog();
  const { pool, tail, clusterTail, executors } = log;
  const transport = (more: { concerns?(subject: string): boolean } = {}) =>
    new EmbeddedTransport({
      tail,
      clusterTail,
      wakeUp: { listen: () => () => undefined },
      inbox: new PostgresInbox(pool),
      deadLetters: new PostgresDeadLetters(pool),
      logger: silentLogger,
      meter: silentMeter,
      pollMs: () => 10,
      attempts: 3,
      pauseMs: 1,
      ...more,
    });
  return {
    transport: transport(),
    another: transport,
    pool,
    executors,
    append: log.append,
    async rewind(subscriber) {
      await pool.query('delete from checkpoint where subscriber = $1', [subscriber]);
    },
    close: log.close,
  };
});

describe('woken by hints', () => {
  it('reads at once although its poll is an hour away', async () => {
    const log = await openLog();
    const listeners = new Set<(topic: string, detail: string) => void>();
    const bus = new EmbeddedTransport({
      tail: log.tail,
      wakeUp: {
        listen(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      inbox: new PostgresInbox(log.pool),
      deadLetters: new PostgresDeadLetters(log.pool),
      logger: silentLogger,
      meter: silentMeter,
      pollMs: () => 3_600_000,
    });
    const stream = 'c1-00000000-0000-7000-8000-000000000001';
    const received = new Received(stream);
    const handle = received.handle;
    const subscription = bus.subscribe({ subscriber: 'woken', mode: 'inbox', events: new Set(['*']), handle });
    await subscription.start();
    await log.append(stream, ['ProcessRequested']);
    for (const listener of listeners) listener('queue', '');
    await received.count(1);
    await subscription.stop();
    expect(listeners.size).toBe(0);
    expect(subscription.healthy).toBe(true);
    await log.close();
  });
});
