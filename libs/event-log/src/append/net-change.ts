import { headChangeOf, type Json, type ProcessEvent, type RowChange } from '@baton/process';

/** `at`: when the row was opened, if that is not the moment of writing (a rebuild). */
type Insert<T extends RowChange['table']> = Extract<RowChange, { table: T; op: 'insert' }> & { at?: string };
const waitTables = ['task', 'incident', 'receiver', 'job'] as const;
type WaitTable = (typeof waitTables)[number];
export interface Gone {
  table: WaitTable;
  id?: string;
  path?: string;
}

/** What several events of one append change together. A row is either written or deleted, never both. */
export interface NetChange {
  owner?: string | null;
  runnableAt?: null | 'now' | string;
  priority?: number;
  claimsReset: boolean;
  claimsAdded: number;
  queue?: Insert<'queue'> | 'delete';
  child?: Insert<'child'>;
  task: Map<string, Insert<'task'>>;
  taskChange: Map<string, Json>;
  incident: Map<string, Insert<'incident'>>;
  receiver: Map<string, Insert<'receiver'>>;
  job: Map<string, Insert<'job'>>;
  gone: Gone[];
}

export function emptyNetChange(): NetChange {
  return {
    claimsReset: false,
    claimsAdded: 0,
    task: new Map(),
    taskChange: new Map(),
    incident: new Map(),
    receiver: new Map(),
    job: new Map(),
    gone: [],
  };
}

export function netChangeOf(events: readonly ProcessEvent[]): NetChange {
  const net = emptyNetChange();
  for (const event of events) addChange(net, event);
  return net;
}

/** `at` stands for now where the events are folded later (a rebuild). */
export function addChange(net: NetChange, event: ProcessEvent, at?: string): void {
  const change = headChangeOf(event);
  if (change.owner !== undefined) net.owner = change.owner;
  if (change.runnableAt !== undefined)
    net.runnableAt = change.runnableAt === 'now' && at !== undefined ? at : change.runnableAt;
  if (change.priority !== undefined) net.priority = change.priority;
  if (change.claims === 'increment') net.claimsAdded += 1;
  if (change.claims === 'reset') {
    net.claimsReset = true;
    net.claimsAdded = 0;
  }
  for (const row of change.rows) addRow(net, at !== undefined && row.op === 'insert' ? { ...row, at } : row);
}

function addRow(net: NetChange, row: RowChange & { at?: string }): void {
  if (row.table === 'queue') net.queue = row.op === 'insert' ? row : 'delete';
  else if (row.table === 'child') net.child = row;
  else if (row.op === 'delete') remove(net, row);
  else if (row.op === 'update') {
    const inserted = net.task.get(row.id);
    if (inserted) net.task.set(row.id, { ...inserted, detail: merged(inserted.detail, row.detail) });
    else net.taskChange.set(row.id, merged(net.taskChange.get(row.id) ?? {}, row.detail));
  } else if (row.table === 'task') {
    net.taskChange.delete(row.id);
    net.task.set(row.id, row);
  } else if (row.table === 'incident') net.incident.set(row.id, row);
  else if (row.table === 'receiver') net.receiver.set(row.path, row);
  else net.job.set(row.id, row);
}

function remove(net: NetChange, row: { table: WaitTable; id?: string; path?: string }): void {
  const rows: Map<string, { path: string | null }> = net[row.table];
  for (const [id, inserted] of rows) {
    if ((row.id === undefined || row.id === id) && (row.path === undefined || row.path === inserted.path))
      rows.delete(id);
  }
  if (row.table === 'task' && row.id !== undefined) net.taskChange.delete(row.id);
  net.gone.push({
    table: row.table,
    ...(row.id === undefined ? {} : { id: row.id }),
    ...(row.path === undefined ? {} : { path: row.path }),
  });
}

/** As PostgreSQL's `||` on objects: the later one's keys win. */
export function merged(before: Json, after: Json): Json {
  const isObject = (value: Json): value is { [key: string]: Json } =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject(before) && isObject(after) ? { ...before, ...after } : after;
}

/** Setting the claim count back is not among them: the fast form does that, too. */
export function changesHead(net: NetChange): boolean {
  return net.owner !== undefined || net.runnableAt !== undefined || net.priority !== undefined || net.claimsAdded > 0;
}
/** Rows go, whole tables of a stream at a time, and none comes: a process that leaves the queue, or that ends. */
export function onlyClears(net: NetChange): boolean {
  const writes = net.task.size + net.taskChange.size + net.incident.size + net.receiver.size + net.job.size > 0;
  const inserts = net.child !== undefined || (net.queue !== undefined && net.queue !== 'delete');
  return !writes && !inserts && (net.gone.length === 0 || clearsWaits(net));
}
export function clearsWaits(net: NetChange): boolean {
  const whole = new Set(net.gone.map((gone) => (gone.id === undefined && gone.path === undefined ? gone.table : null)));
  return !whole.has(null) && waitTables.every((table) => whole.has(table));
}
export function changesAdmission(net: NetChange): boolean {
  return net.queue !== undefined || net.child !== undefined;
}
export function changesWaits(net: NetChange): boolean {
  return (
    net.gone.length + net.task.size + net.taskChange.size + net.incident.size + net.receiver.size + net.job.size > 0
  );
}
