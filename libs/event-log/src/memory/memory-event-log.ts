import { type RecordedEvent, schemaVersions } from '@baton/process';
import { checkAppends, settled } from '../append/check-appends.js';
import { merged, type NetChange, netChangeOf } from '../append/net-change.js';
import {
  type Append,
  type AppendOutcome,
  type AppendResult,
  BadEvent,
  type EventLog,
  type EventToFold,
  type Head,
  InDoubt,
} from '../event-log.port.js';
import type { MemoryState, MemoryStream } from './memory-state.js';

/** The event log in memory: the same rules, deterministic, with faults on request. */
export class MemoryEventLog implements EventLog {
  readonly #late: Append[] = [];
  constructor(private readonly state: MemoryState) {}

  async append(appends: Append[]): Promise<AppendResult[]> {
    return settled(await this.appendEach(appends));
  }

  async appendEach(appends: readonly Append[]): Promise<AppendOutcome[]> {
    checkAppends(appends);
    await this.state.before('append');
    const { faults } = this.state;
    const transactionId = this.state.transactionId++;
    return appends.map((append): AppendOutcome => {
      const fate = faults.away ? 'lost' : (faults.fateOf?.(append) ?? 'none');
      const doubt: AppendOutcome = { status: 'in-doubt', error: new InDoubt('The answer to the commit was lost.') };
      if (fate === 'lost') return doubt;
      if (fate === 'late') {
        this.#late.push(append);
        return doubt;
      }
      const outcome = this.#apply(append, transactionId);
      if (fate === 'twice') this.#apply(append, transactionId);
      return fate === 'answer-lost' && outcome.status !== 'bad' ? doubt : outcome;
    });
  }

  /** Executes what was held back as `late`; the answers reach nobody. */
  deliverLate(): void {
    for (const append of this.#late.splice(0)) this.#apply(append, this.state.transactionId++);
  }

  #apply(append: Append, transactionId: number): AppendOutcome {
    const bad = unstorable(append);
    if (bad) return { status: 'bad', error: bad };
    const stream = this.state.streams.get(append.stream);
    if (!this.#fits(append, stream)) return { status: 'refused' };
    const target = stream ?? newStream(append.stream);
    this.state.streams.set(append.stream, target);
    const recordedAt = this.state.iso();
    for (const item of append.events) {
      const sequence = ++target.head.version;
      const event = {
        ...structuredClone(item.event),
        id: item.id,
        stream: append.stream,
        sequence,
        recordedAt,
        schemaVersion: item.schemaVersion ?? schemaVersions[item.event.type] ?? 1,
        logIncarnation: 1,
        metadata: { ...item.metadata },
      } as RecordedEvent;
      target.events.push(event);
      this.state.all.push({
        event,
        position: { logIncarnation: 1, transactionId: String(transactionId), stream: append.stream, sequence },
      });
    }
    applyChange(target, netChangeOf(append.events.map((item) => item.event)), recordedAt);
    return { status: 'appended', version: target.head.version, recordedAt };
  }

  #fits(append: Append, stream: MemoryStream | undefined): boolean {
    if (append.expected === 'none') return stream === undefined;
    if (!stream) return false;
    if (stream.head.version !== append.expected && !this.state.faults.versionCheckOff) return false;
    if (append.owner === undefined || this.state.faults.ownerCheckOff) return true;
    return stream.head.owner === append.owner;
  }

  async read(stream: string, after = 0, limit = Number.POSITIVE_INFINITY): Promise<RecordedEvent[]> {
    await this.state.before('read');
    return structuredClone(this.state.streams.get(stream)?.events.slice(after, after + limit) ?? []);
  }

  async readToFold(stream: string, after: number, limit: number): Promise<EventToFold[]> {
    return (await this.read(stream, after, limit)).map(toFold);
  }

  async readWholeToFold(streams: readonly string[]): Promise<Map<string, EventToFold[]>> {
    const read = await this.readMany(streams.map((stream) => ({ stream, after: 0 })));
    return new Map([...read].map(([stream, events]) => [stream, events.map(toFold)]));
  }

  async readMany(streams: { stream: string; after: number }[]): Promise<Map<string, RecordedEvent[]>> {
    await this.state.before('read');
    return new Map(
      streams.map(({ stream, after }) => [
        stream,
        structuredClone(this.state.streams.get(stream)?.events.slice(after) ?? []),
      ]),
    );
  }

  async heads(streams: string[]): Promise<Map<string, Head>> {
    await this.state.before('heads');
    return new Map(
      streams.flatMap((stream) => {
        const found = this.state.streams.get(stream);
        return found ? [[stream, { ...found.head }] as const] : [];
      }),
    );
  }
}

function newStream(stream: string): MemoryStream {
  return {
    head: { stream, version: 0, owner: null, runnableAt: null, priority: 5, claims: 0 },
    events: [],
    queue: null,
    child: null,
    rows: { task: new Map(), incident: new Map(), receiver: new Map(), job: new Map() },
  };
}

/** What PostgreSQL refuses to store: NUL and lone surrogates. */
function unstorable(append: Append): BadEvent | null {
  const text = JSON.stringify(append.events.map((item) => [item.event, item.metadata]));
  if (/(?<!\\)(?:\\\\)*\\u0000/.test(text))
    return new BadEvent(append.stream, '22P05', 'unsupported Unicode escape sequence');
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/.test(text))
    return new BadEvent(append.stream, '22P02', 'invalid input syntax for type json');
  return null;
}

function applyChange(stream: MemoryStream, net: NetChange, now: string): void {
  const { head, rows } = stream;
  if (net.owner !== undefined) head.owner = net.owner;
  if (net.runnableAt !== undefined) head.runnableAt = net.runnableAt === 'now' ? now : net.runnableAt;
  if (net.priority !== undefined) head.priority = net.priority;
  head.claims = (net.claimsReset ? 0 : head.claims) + net.claimsAdded;
  if (net.queue === 'delete') stream.queue = null;
  else if (net.queue) {
    const { priority, notBefore, key, limit, onLimit } = net.queue;
    stream.queue = { priority, notBefore, key, limit, onLimit, enqueuedAt: now };
  }
  if (net.child && !stream.child) {
    const { parent, path, attempt } = net.child;
    stream.child = { parent, path, attempt, told: false };
  }
  for (const gone of net.gone) {
    for (const [id, row] of rows[gone.table]) {
      if ((gone.id === undefined || gone.id === id) && (gone.path === undefined || gone.path === row.path))
        rows[gone.table].delete(id);
    }
  }
  for (const [id, detail] of net.taskChange) {
    const row = rows.task.get(id);
    if (row) row.detail = merged(row.detail, detail);
  }
  for (const [id, { table: _, op: __, ...row }] of net.task) rows.task.set(id, { ...row, openedAt: now });
  for (const [id, { table: _, op: __, ...row }] of net.incident) rows.incident.set(id, { ...row, openedAt: now });
  for (const [id, { table: _, op: __, ...row }] of net.receiver)
    rows.receiver.set(id, { ...row, id: row.path, detail: null, openedAt: now });
  for (const [id, { table: _, op: __, ...row }] of net.job) rows.job.set(id, { ...row, openedAt: now });
}

function toFold({ type, schemaVersion, data, sequence, ...rest }: RecordedEvent): EventToFold {
  const own = type.startsWith('Process') && { recordedAt: rest.recordedAt, metadata: rest.metadata };
  return { type, schemaVersion, data, sequence, ...own };
}
