import { type ExecutorRegistry, newProcessId, uuidv7 } from '@baton/event-log';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BusTransport, DeliveryContext, LogPool, Subscription, SubscriptionOptions } from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';
import { BusOperations } from '../operations/bus-operations.js';
import { Received } from './received.js';

/** A bus over a log of its own. Whatever is appended reaches the bus by the way that the transport takes. */
export interface BusUnderTest {
  transport: BusTransport;
  /** A second instance, as in another service. */
  another(more?: { concerns?(subject: string): boolean }): BusTransport;
  pool: LogPool;
  /** Appends to a process's stream: a request first, then its scheduling, then ends. */
  append(stream: string, types: readonly string[]): Promise<void>;
  executors: Pick<ExecutorRegistry, 'join' | 'recordExit'>;
  /** Everything is delivered once more, from the beginning. */
  rewind(subscriber: string): Promise<void>;
  close(): Promise<void>;
}

const request = ['ProcessRequested'];
const life = ['ProcessRequested', 'ProcessScheduled', 'ProcessCompleted'];

/** What every transport of the bus does (design 3, "The bus"; failures D5, D8, D9, D12). */
export function busContract(name: string, open: () => Promise<BusUnderTest>): void {
  describe(`the bus over ${name}`, () => {
    let bus: BusUnderTest;
    let subscriber: string;
    const running: Subscription[] = [];
    beforeAll(async () => {
      bus = await open();
      // The first time a broker is fetched.
    }, 240_000);
    afterEach(async () => {
      await Promise.all(running.splice(0).map((subscription) => subscription.stop()));
    });
    afterAll(() => bus.close());

    const subscribe = async (
      events: string[],
      handle: SubscriptionOptions['handle'],
      more: Partial<SubscriptionOptions> & { over?: BusTransport } = {},
    ): Promise<Subscription> => {
      const { over = bus.transport, ...rest } = more;
      const options = { subscriber, mode: 'inbox' as const, events: new Set(events), handle, ...rest };
      const subscription = over.subscribe(options);
      running.push(subscription);
      await subscription.start();
      return subscription;
    };
    const fresh = () => {
      subscriber = `spec-${uuidv7()}`;
      return newProcessId('c1');
    };

    it('delivers the events asked for, whole, in the order of their stream', async () => {
      const stream = fresh();
      const received = new Received(stream);
      await subscribe(['process.requested', 'process.completed'], received.handle);
      await bus.append(stream, life);
      await received.count(2);
      expect(received.events).toMatchObject([
        { name: 'process.requested', type: 'ProcessRequested', subject: stream, sequence: 1, schemaVersion: 1 },
        { name: 'process.completed', type: 'ProcessCompleted', subject: stream, sequence: 3, data: { outputs: {} } },
      ]);
      expect(received.events[0]?.source).toBe('/baton/c1/1');
    });

    it('delivers everything to who asks for all', async () => {
      const stream = fresh();
      const received = new Received(stream);
      await subscribe(['*'], received.handle);
      await bus.append(stream, life);
      await received.count(3);
      expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    });

    it('goes on where it stopped: what happened meanwhile is delivered at the next start', async () => {
      const stream = fresh();
      const received = new Received(stream);
      const first = await subscribe(['*'], received.handle);
      await bus.append(stream, request);
      await received.count(1);
      await first.stop();
      await bus.append(stream, ['ProcessScheduled']);
      await subscribe(['*'], received.handle);
      await received.count(2);
      expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2]);
    });

    it('drops what was handled before, though everything is delivered once more (D5)', async () => {
      const stream = fresh();
      const received = new Received(stream);
      const first = await subscribe(['*'], received.handle);
      await bus.append(stream, life);
      await received.count(3);
      await first.stop();
      await bus.rewind(subscriber);
      await subscribe(['*'], received.handle);
      await bus.append(stream, ['ProcessRetried']);
      await received.count(4);
      expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    });

    it('commits what a handler writes together with its inbox row, once, whatever is repeated (D12)', async () => {
      const stream = fresh();
      await bus.pool.query('create table if not exists effect (event_id uuid)');
      const received = new Received(stream);
      let crashes = 1;
      const write = async (event: BusEvent, context: DeliveryContext) => {
        if (event.subject !== stream) return;
        await context.transaction(async (client) => {
          await client.query('insert into effect values ($1)', [event.id]);
          if (crashes-- > 0) throw new Error('crashed after the write, before the commit');
        });
        await received.handle(event);
      };
      const first = await subscribe(['*'], write);
      await bus.append(stream, life);
      await received.count(3);
      await first.stop();
      await bus.rewind(subscriber);
      await subscribe(['*'], write);
      await bus.append(stream, ['ProcessRetried']);
      await received.count(4);
      const ids = received.events.map(({ id }) => id);
      const { rows } = await bus.pool.query('select event_id from effect where event_id = any($1)', [ids]);
      expect(rows).toHaveLength(4);
    });

    it('makes a dead letter of what a handler cannot handle, with the reason, and goes on (D8, D9)', async () => {
      const stream = fresh();
      const received = new Received(stream);
      let attempts = 0;
      await subscribe(['*'], async (event) => {
        if (event.subject === stream && event.sequence === 2) {
          attempts += 1;
          const nothing: { missing?: { field: string } } = {};
          // As a bug in a handler would: a TypeError.
          return void nothing.missing!.field.length;
        }
        await received.handle(event);
      });
      await bus.append(stream, life);
      await received.count(2);
      expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 3]);
      expect(attempts).toBe(3);
      const { rows } = await bus.pool.query(
        'select type, subject, reason, attempts from bus_dead_letter where subscriber = $1',
        [subscriber],
      );
      expect(rows).toMatchObject([{ type: 'ProcessScheduled', subject: stream, attempts: 3 }]);
      expect(rows[0].reason).toMatch(/^TypeError: /);
    });

    it('delivers a dead letter again when somebody asks for it, once, and tells what came of it', async () => {
      const stream = fresh();
      const received = new Received(stream);
      let isBroken = true;
      await subscribe(['process.requested'], async (event) => {
        if (event.subject === stream && isBroken) throw new Error('broken');
        await received.handle(event);
      });
      const operations = new BusOperations(bus.pool);
      await bus.append(stream, request);
      const letter = async () => (await operations.deadLetters({ subscriber, limit: 10 }))?.items[0];
      while ((await letter()) === undefined);
      const dead = await letter();
      expect(dead).toMatchObject({ subscriber, type: 'ProcessRequested', subject: stream, reason: 'Error: broken' });
      isBroken = false;
      const id = dead?.id ?? '';
      await operations.replay(id, 'spec');
      await received.count(1);
      while ((await operations.deadLetter(id))?.replayedAt === null);
      expect(await operations.deadLetter(id)).toMatchObject({ replayRequestedAt: null, replayError: null });
      expect(await operations.replay(id, 'spec')).toBeNull();
      expect(received.events).toHaveLength(1);
    });

    it('commits what a handler writes when a dead letter is delivered again, and all of it or nothing', async () => {
      const stream = fresh();
      await bus.pool.query('create table if not exists effect (event_id uuid)');
      let isBroken = true;
      await subscribe(['process.requested'], (event, context) => {
        if (event.subject !== stream) return Promise.resolve();
        return context.transaction(async (client) => {
          await client.query('insert into effect values ($1)', [event.id]);
          if (isBroken) throw new Error('broken after the write');
        });
      });
      const operations = new BusOperations(bus.pool);
      await bus.append(stream, request);
      const letters = async () => (await operations.deadLetters({ subscriber, limit: 10 }))?.items ?? [];
      while ((await letters()).length === 0);
      const [dead] = await letters();
      const { id = '', eventId } = dead ?? {};
      const written = async (table: 'effect' | 'bus_inbox') =>
        (await bus.pool.query(`select from ${table} where event_id = $1`, [eventId])).rowCount;
      await operations.replay(id, 'spec');
      while ((await letters())[0]?.replayError === null);
      expect(await written('effect')).toBe(0);
      isBroken = false;
      await operations.replay(id, 'spec');
      while ((await operations.deadLetter(id))?.replayedAt === null);
      expect([await written('effect'), await written('bus_inbox')]).toEqual([1, 1]);
    });

    it('tells what a dead letter failed with when it is delivered again', async () => {
      const stream = fresh();
      await subscribe(['process.requested'], async (event) => {
        if (event.subject === stream) throw new Error('broken still');
      });
      const operations = new BusOperations(bus.pool);
      await bus.append(stream, request);
      const letters = async () => (await operations.deadLetters({ subscriber, limit: 10 }))?.items ?? [];
      while ((await letters()).length === 0);
      const [dead] = await letters();
      await operations.replay(dead?.id ?? '', 'spec');
      while ((await letters())[0]?.replayError === null);
      expect((await letters())[0]).toMatchObject({ replayError: 'Error: broken still', replayedAt: null, attempts: 4 });
    });

    it('retries a handler that fails now and then, and keeps the order meanwhile', async () => {
      const stream = fresh();
      const received = new Received(stream);
      await subscribe(['*'], async (event, { attempt }) => {
        if (event.subject === stream && event.sequence === 2 && attempt < 3) throw new Error('not yet');
        await received.handle(event);
      });
      await bus.append(stream, life);
      await received.count(3);
      expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    });

    it('gives hints from now on, tried once, to each instance', async () => {
      const stream = fresh();
      const before = new Received(stream);
      await subscribe(['*'], before.handle, { subscriber: `${subscriber}-before` });
      await bus.append(stream, request);
      // It is settled, and so in the past.
      await before.count(1);
      const one = new Received(stream);
      const two = new Received(stream);
      const failing = async (event: BusEvent) => {
        await one.handle(event);
        throw new Error('a hint that cannot be used');
      };
      await subscribe(['*'], failing, { mode: 'hints' });
      await subscribe(['*'], two.handle, { mode: 'hints', over: bus.another() });
      await bus.append(stream, ['ProcessScheduled', 'ProcessCompleted']);
      await Promise.all([one.count(2), two.count(2)]);
      for (const received of [one, two]) expect(received.events.map(({ sequence }) => sequence)).toEqual([2, 3]);
    });

    it('gives of all hints only those that were asked for', async () => {
      const stream = fresh();
      const received = new Received(stream);
      const wanted = ['process.scheduled', 'process.operator-completed', 'process.completed'];
      await subscribe(wanted, received.handle, { mode: 'hints' });
      await bus.append(stream, ['ProcessRequested', 'ProcessScheduled', 'ProcessCompleted']);
      await received.count(2);
      expect(received.events.map(({ type }) => type)).toEqual(['ProcessScheduled', 'ProcessCompleted']);
    });

    it('gives of all hints only those of whom somebody asks after', async () => {
      const [asked, other] = [fresh(), newProcessId('c1')];
      const received = new Received(asked);
      const seen: string[] = [];
      const handle = async (event: BusEvent) => {
        seen.push(event.subject);
        await received.handle(event);
      };
      await subscribe(['*'], handle, {
        mode: 'hints',
        over: bus.another({ concerns: (subject) => subject === asked }),
      });
      await bus.append(other, life);
      await bus.append(asked, life);
      await received.count(3);
      expect(seen).toEqual([asked, asked, asked]);
    });

    it('tells of servers that join, leave and are lost, to who asks for it, by inbox and as hints', async () => {
      fresh();
      const node = `executor-${uuidv7()}`;
      const [inbox, hints] = [new Received(node), new Received(node)];
      const wanted = ['cluster.executor-joined', 'cluster.executor-lost'];
      await subscribe(wanted, inbox.handle);
      await subscribe(['process.requested', ...wanted], hints.handle, { mode: 'hints', over: bus.another() });
      await bus.executors.join({ id: node, host: 'h', pid: 7, version: '1', capacity: 3, leaseMs: 60_000 });
      await bus.executors.recordExit(node, { code: null, signal: 'SIGKILL' });
      await Promise.all([inbox.count(2), hints.count(2)]);
      for (const { events } of [inbox, hints])
        expect(events).toMatchObject([
          { name: 'cluster.executor-joined', subject: node, sequence: 1, data: { node, host: 'h', capacity: 3 } },
          { name: 'cluster.executor-lost', subject: node, sequence: 2, data: { node, proof: 'exit' } },
        ]);
    });

    it('two instances of a subscriber handle each event once', async () => {
      const stream = fresh();
      const received = new Received(stream);
      const write = (event: BusEvent, context: DeliveryContext) =>
        context.transaction(async () => {
          await received.handle(event);
        });
      await subscribe(['process.requested', 'process.completed'], write);
      await subscribe(['process.requested', 'process.completed'], write, { over: bus.another() });
      const last = newProcessId('c1');
      const end = new Received(last);
      await subscribe(['*'], end.handle, { subscriber: `${subscriber}-end` });
      await bus.append(stream, life);
      await received.count(2);
      await bus.append(last, request);
      await end.count(1);
      const { rows } = await bus.pool.query(
        'select count(*)::int as n from bus_inbox where subscriber = $1 and event_id = any($2)',
        [subscriber, received.events.map(({ id }) => id)],
      );
      expect(rows).toEqual([{ n: 2 }]);
    });
  });
}
