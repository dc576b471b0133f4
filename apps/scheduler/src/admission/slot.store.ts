import { type CellIds, withTransaction } from '@baton/event-log';
import type { LogPool } from '../scheduler.ports.js';
import { freeLeakedSlots, freeSlotsOf, seedLimitSlots, slotHolders } from '../sql/free-slots.sql.js';
import { countSlots, createSlotKeys, insertSlots, lockSlotKeys } from '../sql/take-slots.sql.js';

export interface SlotRequest {
  stream: string;
  /** All of them or none. */
  needs: { key: string; limit: number }[];
}
/** 'granted', or the first key that is full. */
export type SlotAnswer = { granted: true } | { granted: false; full: string };

/**
 * Slots of concurrency keys in the key's cell (design 2, "Admission").
 * Invariants:
 * 1. Slots are counted and taken while their keys' rows are locked, in a transaction of their own that is committed
 *    before anything is appended: never more than the limit.
 * 2. A process holds all the slots that it needs, or takes none.
 * 3. Taking is idempotent: who holds a slot is granted it again.
 * 4. A slot is freed after the end of its process and never before: two schedulers may have taken the same one.
 */
export class SlotStore {
  #areHeld = true;
  constructor(
    private readonly pool: LogPool,
    private readonly ids: CellIds,
  ) {}

  /** False: none is held by anybody, as far as was looked (`freeLeaked`, every second or so) and taken here. */
  get areHeld(): boolean {
    return this.#areHeld;
  }

  /** Grants in the order asked, each within its own limits. */
  async take(requests: readonly SlotRequest[]): Promise<Map<string, SlotAnswer>> {
    const keys = [...new Set(requests.flatMap(({ needs }) => needs.map(({ key }) => key)))].sort();
    if (keys.length === 0) return new Map(requests.map(({ stream }) => [stream, { granted: true }]));
    const uuids = requests.map(({ stream }) => this.ids.mustUuid(stream));
    this.#areHeld = true;
    return withTransaction(this.pool, async (client) => {
      await client.query(createSlotKeys, [keys]);
      await client.query(lockSlotKeys, [keys]);
      const { rows } = await client.query<{ key: string; held: number; mine: string[] }>(countSlots, [keys, uuids]);
      const ledger = new Ledger(rows);
      const answers = new Map<string, SlotAnswer>();
      for (const [at, { stream, needs }] of requests.entries()) answers.set(stream, ledger.grant(uuids[at]!, needs));
      if (ledger.fresh.length > 0)
        await client.query(insertSlots, [ledger.fresh.map(({ key }) => key), ledger.fresh.map(({ uuid }) => uuid)]);
      return answers;
    });
  }

  /** After their ends. True: there were any. */
  async free(streams: readonly string[]): Promise<boolean> {
    const uuids = streams.flatMap((stream) => this.ids.uuid(stream) ?? []);
    return (
      uuids.length > 0 &&
      ((await this.pool.query({ name: 'free_slots_of', text: freeSlotsOf, values: [uuids] })).rowCount ?? 0) > 0
    );
  }

  /** Slots of processes that have ended while nobody freed them. Returns how many. */
  async freeLeaked(): Promise<number> {
    const { rows } = await this.pool.query<{ freed: number; held: boolean }>({
      name: 'free_leaked_slots',
      text: freeLeakedSlots,
    });
    this.#areHeld = rows[0]!.held;
    return rows[0]!.freed;
  }

  /** Who holds a key and has been admitted, the longest first. */
  async holders(key: string, limit: number): Promise<string[]> {
    const { rows } = await this.pool.query<{ stream_id: string }>(slotHolders, [key, limit]);
    return rows.map((row) => this.ids.id(row.stream_id));
  }

  /** Gives those that already run a slot of the admission limit. */
  async seed(key: string): Promise<void> {
    await this.pool.query(seedLimitSlots, [key]);
  }
}

/** The slots of the locked keys, as they are and as they become. */
class Ledger {
  readonly fresh: { key: string; uuid: string }[] = [];
  readonly #held = new Map<string, number>();
  readonly #mine = new Set<string>();
  constructor(rows: readonly { key: string; held: number; mine: string[] }[]) {
    for (const { key, held, mine } of rows) {
      this.#held.set(key, held);
      for (const uuid of mine) this.#mine.add(`${uuid} ${key}`);
    }
  }

  grant(uuid: string, needs: SlotRequest['needs']): SlotAnswer {
    const missing = needs.filter(({ key }) => !this.#mine.has(`${uuid} ${key}`));
    // A concurrency key comes before the admission limit: its policy decides what becomes of the process.
    const full = missing.find(({ key, limit }) => (this.#held.get(key) ?? 0) >= limit);
    if (full) return { granted: false, full: full.key };
    for (const { key } of missing) {
      this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
      this.#mine.add(`${uuid} ${key}`);
      this.fresh.push({ key, uuid });
    }
    return { granted: true };
  }
}
