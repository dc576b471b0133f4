import { schemaVersions } from '@baton/process';
import type { Append } from '../event-log.port.js';
import type { CellIds } from '../process-id.js';
import { appendVersionsOnly, appendWithChanges, appendWithEnds } from '../sql/append.sql.js';
import { boolArray, int2Array, int4Array, jsonbArray, textArray, uuidArray } from './binary-arrays.js';
import { changesAdmission, changesHead, changesWaits, type NetChange, netChangeOf, onlyClears } from './net-change.js';

export interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

/**
 * Builds the one statement that a batch needs: the fast form if only versions change, one without JSON if rows
 * are only cleared, else the general one.
 */
export function appendStatement(appends: readonly Append[], ids: CellIds): Statement {
  const changes = appends.map((append) => netChangeOf(append.events.map((e) => e.event)));
  const streams = appends.map((append) => ids.mustUuid(append.stream));
  const values: unknown[] = [
    uuidArray(streams),
    int4Array(appends.map((append) => (append.expected === 'none' ? 0 : append.expected))),
    int4Array(appends.map((append) => append.events.length)),
    boolArray(appends.map((append) => append.owner === undefined)),
    textArray(appends.map((append) => append.owner ?? null)),
    ...eventColumns(appends, streams),
  ];
  const creates = appends.some((append) => append.expected === 'none');
  const admission = changes.some(changesAdmission);
  const waits = changes.some(changesWaits);
  if (!creates && !admission && !waits && !changes.some(changesHead))
    return {
      name: 'append_versions',
      text: appendVersionsOnly,
      values: [...values, boolArray(changes.map((c) => c.claimsReset))],
    };
  values.push(...headColumns(changes));
  if ((admission || waits) && !creates && changes.every(onlyClears)) {
    const of = (wanted: (change: NetChange) => boolean): string[] => streams.filter((_, at) => wanted(changes[at]!));
    const ended = of((change) => change.gone.length > 0);
    values.push(uuidArray(of((change) => change.queue === 'delete')));
    if (ended.length === 0) return { name: 'append_unqueued', text: withoutEnds, values };
    return { name: 'append_ended', text: withEnds, values: [...values, uuidArray(ended)] };
  }
  if (admission) values.push(JSON.stringify(admissionRows(changes, streams, ids)));
  if (waits) values.push(JSON.stringify(waitRows(changes, streams)));
  const name = `append_heads${admission ? '_admission' : ''}${waits ? '_waits' : ''}`;
  return { name, text: textOf(name, admission, waits), values };
}

const withEnds = appendWithEnds({ ends: true });
const withoutEnds = appendWithEnds({ ends: false });
const texts = new Map<string, string>();
function textOf(name: string, admission: boolean, waits: boolean): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = appendWithChanges({ admission, waits });
    texts.set(name, text);
  }
  return text;
}

export function eventColumns(appends: readonly Append[], streams: readonly string[]): unknown[] {
  const ofStream: string[] = [];
  const sequences: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const versions: number[] = [];
  const data: string[] = [];
  const metadata: (string | null)[] = [];
  appends.forEach((append, at) => {
    const before = append.expected === 'none' ? 0 : append.expected;
    append.events.forEach((item, index) => {
      ofStream.push(streams[at]!);
      sequences.push(before + index + 1);
      ids.push(item.id);
      types.push(item.event.type);
      versions.push(item.schemaVersion ?? schemaVersions[item.event.type] ?? 1);
      data.push(JSON.stringify(item.event.data));
      const text = JSON.stringify(item.metadata);
      metadata.push(text === '{}' ? null : text);
    });
  });
  return [
    uuidArray(ofStream),
    int4Array(sequences),
    uuidArray(ids),
    textArray(types),
    int2Array(versions),
    jsonbArray(data),
    jsonbArray(metadata),
  ];
}

function headColumns(changes: readonly NetChange[]): unknown[] {
  const runnable = (change: NetChange): number =>
    change.runnableAt === undefined ? 0 : change.runnableAt === null ? 1 : change.runnableAt === 'now' ? 2 : 3;
  return [
    boolArray(changes.map((c) => c.owner !== undefined)),
    textArray(changes.map((c) => c.owner ?? null)),
    int2Array(changes.map(runnable)),
    changes.map((c) => (runnable(c) === 3 ? c.runnableAt : null)),
    int2Array(changes.map((c) => c.priority ?? null)),
    boolArray(changes.map((c) => c.claimsReset)),
    int4Array(changes.map((c) => c.claimsAdded)),
  ];
}

function admissionRows(changes: readonly NetChange[], streams: readonly string[], ids: CellIds): object {
  const queue: object[] = [];
  const unqueue: string[] = [];
  const children: object[] = [];
  changes.forEach((change, at) => {
    const stream = streams[at]!;
    if (change.queue === 'delete') unqueue.push(stream);
    else if (change.queue)
      queue.push({
        stream,
        priority: change.queue.priority,
        not_before: change.queue.notBefore,
        key: change.queue.key,
        key_limit: change.queue.limit,
        on_limit: change.queue.onLimit,
      });
    if (change.child)
      children.push({
        stream,
        parent: ids.mustUuid(change.child.parent),
        path: change.child.path,
        attempt: change.child.attempt,
      });
  });
  return { queue, unqueue, children };
}

function waitRows(changes: readonly NetChange[], streams: readonly string[]): object {
  const rows = {
    gone: [] as object[],
    task: [] as object[],
    taskChange: [] as object[],
    incident: [] as object[],
    receiver: [] as object[],
    job: [] as object[],
  };
  changes.forEach((change, at) => {
    const stream = streams[at]!;
    for (const gone of change.gone) {
      const keep = [...change[gone.table].keys()];
      rows.gone.push({ table: gone.table, stream, id: gone.id ?? null, path: gone.path ?? null, keep });
    }
    for (const r of change.task.values())
      rows.task.push({ stream, id: r.id, path: r.path, attempt: r.attempt, due_at: r.dueAt, detail: r.detail });
    for (const [id, detail] of change.taskChange) rows.taskChange.push({ stream, id, detail });
    for (const r of change.incident.values())
      rows.incident.push({ stream, id: r.id, path: r.path, kind: r.kind, detail: r.detail });
    for (const r of change.receiver.values())
      rows.receiver.push({
        stream,
        path: r.path,
        attempt: r.attempt,
        name: r.name,
        key: r.key,
        keep_ms: r.keepMs,
        topic: r.topic,
        conditions: r.conditions,
      });
    for (const r of change.job.values())
      rows.job.push({ stream, id: r.id, path: r.path, attempt: r.attempt, queue: r.queue, detail: r.detail });
  });
  return rows;
}
