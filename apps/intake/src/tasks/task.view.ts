import type { JsonValue, Task } from '@baton/contracts';
import type { TaskItem } from '@baton/event-log';
import type { Json } from '@baton/process';
import type { Caller } from '../http/caller.types.js';

type Fields = { [key: string]: Json };

/** An open task as the API shows it to one caller. */
export function taskView(task: TaskItem, caller: Caller): Task {
  const detail = fieldsOf(task.detail);
  const { draft } = detail;
  const assign = detail['assign'] ?? null;
  return {
    id: task.id,
    process: task.process,
    path: task.path,
    attempt: task.attempt,
    title: textOrNull(detail['title']),
    instructions: textOrNull(detail['instructions']),
    form: (detail['form'] ?? null) as JsonValue,
    assign: assign as JsonValue,
    needs: typeof detail['needs'] === 'number' ? detail['needs'] : 1,
    claimedBy: textOrNull(detail['claimedBy']),
    ...(draft === undefined || draft === null ? {} : { draft: draft as JsonValue }),
    assignedAt: task.openedAt,
    dueAt: task.dueAt,
    mayAnswer: isAssignedTo(assign, textOrNull(detail['delegatedTo']), caller),
  };
}

/** By user, by group, or by delegation; nobody named means everybody. What `notBy` forbids, the answer itself decides. */
function isAssignedTo(assign: Json, delegatedTo: string | null, caller: Caller): boolean {
  if (delegatedTo !== null) return delegatedTo === caller.id;
  const { users, roles, notBy } = fieldsOf(assign);
  if (textsOf(notBy).includes(caller.id)) return false;
  const named = [...textsOf(users), ...textsOf(roles)];
  if (named.length === 0) return true;
  return textsOf(users).includes(caller.id) || textsOf(roles).some((role) => caller.groups.includes(role));
}

function fieldsOf(value: Json | undefined): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === 'string') : [];
}
function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
