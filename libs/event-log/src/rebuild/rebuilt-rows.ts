import type { NetChange } from '../append/net-change.js';
import type { CellIds } from '../process-id.js';

/** The rows beside the heads, by table and with the tables' column names. */
export function rebuiltRows(
  streams: readonly { uuid: string; net: NetChange }[],
  ids: CellIds,
): Record<'queue' | 'child' | 'task' | 'incident' | 'receiver' | 'job', object[]> {
  const rows = {
    queue: [] as object[],
    child: [] as object[],
    task: [] as object[],
    incident: [] as object[],
    receiver: [] as object[],
    job: [] as object[],
  };
  for (const { uuid: stream_id, net } of streams) {
    if (net.queue && net.queue !== 'delete')
      rows.queue.push({
        stream_id,
        priority: net.queue.priority,
        not_before: net.queue.notBefore,
        enqueued_at: net.queue.at,
        key: net.queue.key,
        key_limit: net.queue.limit,
        on_limit: net.queue.onLimit,
      });
    if (net.child)
      rows.child.push({
        stream_id,
        parent_id: ids.mustUuid(net.child.parent),
        path: net.child.path,
        attempt: net.child.attempt,
        told: false,
      });
    for (const { id, path, attempt, dueAt, detail, at } of net.task.values())
      rows.task.push({ stream_id, id, path, attempt, due_at: dueAt, opened_at: at, detail });
    for (const { id, path, kind, detail, at } of net.incident.values())
      rows.incident.push({ stream_id, id, path, kind, opened_at: at, detail });
    for (const { path, attempt, name, key, keepMs, topic, conditions, at } of net.receiver.values())
      rows.receiver.push({ stream_id, path, attempt, name, key, keep_ms: keepMs, topic, conditions, opened_at: at });
    for (const { id, path, attempt, queue, detail, at } of net.job.values())
      rows.job.push({ stream_id, id, path, attempt, queue, opened_at: at, detail });
  }
  return rows;
}
