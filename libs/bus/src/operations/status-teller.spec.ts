import { expect, it } from 'vitest';
import { StatusTeller, type ToldStatus } from './status-teller.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const publisher = { clusterId: 'c', error: null, republished: null };
const instance = '01890000-0000-7000-8000-000000000000';

/** A broker by its groups and the ends of its topics, and what was told. */
class Scene {
  readonly told: ToldStatus[] = [];
  isAway = false;
  disconnected = 0;
  groups: Record<string, Record<string, string[]>> = {};
  ends: Record<string, string[]> = {};

  teller(prefix: string | null): StatusTeller {
    return new StatusTeller({
      pool: {
        query: (_, [status]) => {
          this.told.push(JSON.parse(status ?? '') as ToldStatus);
          return Promise.resolve();
        },
      },
      holder: 'scheduler-1',
      kafka: prefix === null ? null : { client: { admin: () => this.#admin() }, prefix, publisher: () => publisher },
      logger: quiet,
    });
  }

  #admin() {
    return {
      connect: () => (this.isAway ? Promise.reject(new Error('away')) : Promise.resolve()),
      disconnect: () => {
        this.disconnected += 1;
        return Promise.resolve();
      },
      listGroups: () =>
        Promise.resolve({
          groups: Object.keys(this.groups).map((groupId) => ({ groupId, protocolType: 'consumer' })),
        }),
      fetchOffsets: ({ groupId }: { groupId: string }) =>
        Promise.resolve(
          Object.entries(this.groups[groupId] ?? {}).map(([topic, offsets]) => ({
            topic,
            partitions: offsets.map((offset, partition) => ({ partition, offset, metadata: null })),
          })),
        ),
      fetchTopicOffsets: (topic: string) =>
        Promise.resolve(
          (this.ends[topic] ?? []).map((high, partition) => ({ partition, high, low: '0', offset: high })),
        ),
    };
  }
}

it('tells for each group and topic of its own how many records it is behind, over all partitions', async () => {
  const scene = new Scene();
  scene.ends = { 'p.baton.process': ['10', '5'], 'p.baton.request': ['3'], 'other.baton.process': ['9'] };
  scene.groups = {
    'baton.notifier': { 'p.baton.process': ['7', '-1'], 'other.baton.process': ['0'] },
    'p.baton.requests': { 'p.baton.request': ['3'] },
    [`baton.intake.${instance}`]: { 'p.baton.process': ['0', '0'] },
    'somebody-else': { 'p.baton.process': ['0', '0'] },
  };
  const teller = scene.teller('p.');
  await teller.round();
  const groups = [
    { group: 'baton.notifier', topic: 'p.baton.process', lag: 8 },
    { group: 'p.baton.requests', topic: 'p.baton.request', lag: 0 },
  ];
  expect(scene.told).toEqual([{ transport: 'kafka', kafka: { ...publisher, holder: 'scheduler-1', groups } }]);
  expect(teller.groups).toEqual(groups);
});

it('tells what it knew while the broker is away, and leaves no connection behind', async () => {
  const scene = new Scene();
  scene.ends = { 'baton.process': ['10'] };
  scene.groups = { 'baton.notifier': { 'baton.process': ['4'] } };
  const teller = scene.teller('');
  await teller.round();
  scene.isAway = true;
  await teller.round();
  expect(scene.told.map(({ kafka }) => kafka?.groups[0]?.lag)).toEqual([6, 6]);
  expect(scene.disconnected).toBe(2);
});

it('tells that the bus is the embedded one', async () => {
  const scene = new Scene();
  await scene.teller(null).round();
  expect(scene.told).toEqual([{ transport: 'embedded', kafka: null }]);
});
