import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildStore } from '../child.port.js';
import type { EventLog } from '../event-log.port.js';
import type { MessageStore } from '../message.port.js';
import { newProcessId } from '../process-id.js';
import type { NewProcess, RequestStore } from '../requests.port.js';
import { completed, requested, scheduled, startedBy, waitsForMessage } from './sample-events.js';

export interface StoresUnderTest {
  log: EventLog;
  requests: RequestStore;
  children: ChildStore;
  messages: MessageStore;
  otherMessages: MessageStore;
  /** Eight days go by for this key. */
  ageKey(key: string): Promise<void>;
  close(): Promise<void>;
}

const request = (key: string | null, bodyDigest = 'same'): NewProcess => {
  const stream = newProcessId('c1');
  return {
    stream,
    events: [requested()],
    answer: { id: stream },
    ...(key === null ? {} : { key: { principal: 'anna', key, bodyDigest } }),
  };
};

/** What every adapter of the stores beside the log promises. */
export function storesContract(name: string, open: () => Promise<StoresUnderTest>): void {
  describe(`the stores beside the log, ${name}`, () => {
    let under: StoresUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());

    it('makes one process of one key, however many ask at once, and gives all of them the same answer', async () => {
      const store = under.requests;
      const results = await Promise.all(Array.from({ length: 10 }, () => store.createOnce(request('k1'))));
      expect(results.filter((result) => result.status === 'created')).toHaveLength(1);
      expect(new Set(results.map((result) => JSON.stringify('answer' in result && result.answer))).size).toBe(1);
      expect((await store.createOnce(request('k1', 'other'))).status).toBe('key-reused');
    });

    it('creates an array in one go: known keys, repeated keys and bad items are told apart, the others stand', async () => {
      const store = under.requests;
      const bad = request('k4');
      bad.events = [requested({ inputs: { text: '\u0000' } })];
      const items = [
        request('k1'),
        request(null),
        request('k2'),
        request('k2'),
        request('k2', 'other'),
        bad,
        request('k5'),
      ];
      const results = await store.createMany(items);
      expect(results.map((result) => result.status)).toEqual([
        'repeated',
        'created',
        'created',
        'repeated',
        'key-reused',
        'bad',
        'created',
      ]);
      expect(await under.log.read(items[3]!.stream)).toEqual([]);
      await under.ageKey('k5');
      expect(await store.removeExpiredKeys()).toBe(1);
      expect((await store.createOnce(request('k5', 'other'))).status).toBe('created');
    });

    it('gives a message to the oldest waiting receiver, once, whoever matches, and one that came first to a later one', async () => {
      const stores = [under.messages, under.otherMessages];
      const waiting = async (): Promise<string> => {
        const stream = newProcessId('c1');
        await under.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
        await under.log.append([
          { stream, expected: 2, events: [startedBy('x1'), waitsForMessage('r', 'paid', '42')] },
        ]);
        return stream;
      };
      const message = { id: 'm1', name: 'paid', key: '42', payload: { sum: 7 }, keepMs: 60_000 };
      expect(await stores[0]!.post(message)).toEqual({ isNew: true });
      expect(await stores[1]!.post(message)).toEqual({ isNew: false });
      expect(await stores[0]!.match(10)).toEqual([]);
      const oldest = await waiting();
      await waiting();
      const matched = (await Promise.all(stores.map((store) => store.match(10)))).flat();
      expect(new Set(matched.map((delivery) => `${delivery.id} ${delivery.stream}`))).toEqual(
        new Set([`m1 ${oldest}`]),
      );
      // Its matcher died: the claim is given out again, for the same receiver, until it is delivered.
      expect(await stores[1]!.match(10)).toEqual([matched[0]]);
      await stores[0]!.delivered(matched[0]!);
      expect(await stores[0]!.match(10)).toEqual([]);
    });

    it('claims another message for a receiver only when the first one was given back or delivered', async () => {
      const store = under.messages;
      const stream = newProcessId('c1');
      await under.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
      await under.log.append([{ stream, expected: 2, events: [startedBy('x1'), waitsForMessage('r', 'one', 'k')] }]);
      for (const id of ['a', 'b']) await store.post({ id, name: 'one', key: 'k', payload: id, keepMs: 60_000 });
      const first = await store.match(10);
      expect(first.map((delivery) => delivery.id)).toEqual(['a']);
      await store.giveBack(first[0]!);
      expect(await store.match(10)).toHaveLength(1);
    });

    it('finds children that ended and whose parent was not told', async () => {
      const { children } = under;
      const parent = newProcessId('c1');
      const child = newProcessId('c1');
      await under.log.append([
        {
          stream: child,
          expected: 'none',
          events: [requested({ parent: { id: parent, path: 'sub', attempt: 1, onParentEnd: 'cancel' } }), scheduled()],
        },
      ]);
      expect(await children.untold(10)).toEqual([]);
      await under.log.append([{ stream: child, expected: 2, events: [startedBy('x1'), completed()] }]);
      expect(await children.untold(10)).toMatchObject([{ child, parent, path: 'sub', type: 'ProcessCompleted' }]);
      await children.markTold(child);
      expect(await children.untold(10)).toEqual([]);
      expect(await children.childrenOf(parent)).toEqual([{ child, path: 'sub', attempt: 1, told: true }]);
    });
  });
}
