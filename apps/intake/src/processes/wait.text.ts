import type { Json, OperatorState, WaitsFor } from '@baton/process';

/** What an operator waits for, to be read after "It waits"; null when it does not wait. */
export function waitText(operator: OperatorState): string | null {
  const { path, status, waitsFor, timers } = operator;
  if (status === 'retrying') {
    const due = timers?.retry ?? timers?.repeat;
    return `${due ? `until ${String(due)} ` : ''}to try ${path} again`;
  }
  if (status === 'unknown') return `to learn how ${path} ended: its outcome is unknown`;
  if (status !== 'waiting' || !waitsFor) return null;
  return `${forWhat(waitsFor, operator)} (${path})`;
}

function forWhat(waitsFor: WaitsFor, operator: OperatorState): string {
  switch (waitsFor.kind) {
    case 'timer':
      return `until ${waitsFor.dueAt}`;
    case 'task': {
      const who = operator.task ? assignees(operator.task.assign) : '';
      const until = waitsFor.dueAt ? `, until ${waitsFor.dueAt}` : '';
      return `for an answer to task ${waitsFor.taskId}${who}${until}`;
    }
    case 'child':
      return `for the process ${waitsFor.child} to end`;
    case 'message':
      return `for the message "${waitsFor.name}"${waitsFor.key === undefined ? '' : ` with the key "${waitsFor.key}"`}`;
    case 'topic':
      return `for a record of the topic ${waitsFor.topic}`;
    case 'command':
      return `for the command ${waitsFor.commandId}`;
    case 'job':
      return `for a worker of the queue ${waitsFor.queue}`;
    case 'callback':
      return 'for its callback';
    case 'lock':
      return `for the lock "${waitsFor.name}", of which ${waitsFor.limit} may be held at once`;
    case 'window':
      return `for the window ${waitsFor.name} to open`;
  }
}

function assignees(assign: Json): string {
  if (assign === null || typeof assign !== 'object' || Array.isArray(assign)) return '';
  const named = [assign['users'], assign['roles']].flatMap((part) => (Array.isArray(part) ? part.map(String) : []));
  return named.length > 0 ? ` by ${named.join(' or ')}` : '';
}
