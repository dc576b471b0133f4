import type { ProcessCommand } from '../decide/decision.types.js';

/**
 * Whether these commands are decided alike on one state and one after the other: none changes what another's decision
 * depends on. Known of answers, messages and ends, which come in numbers; of all others it is not claimed.
 */
export function areIndependent(commands: readonly ProcessCommand[]): boolean {
  const touched = new Set<string>();
  for (const command of commands) {
    const touches = touchedBy(command);
    if (touches.length === 0) return false;
    for (const one of touches) {
      if (touched.has(one)) return false;
      touched.add(one);
    }
  }
  return true;
}

function touchedBy(command: ProcessCommand): string[] {
  switch (command.kind) {
    case 'receiveMessage':
      return [`message ${command.messageId}`, ...(command.path === undefined ? [] : [`path ${command.path}`])];
    case 'answerTask':
    case 'updateTask':
      return [`task ${command.taskId}`];
    case 'endChild':
      return [`child ${command.child}`, `path ${command.path}`];
    case 'finishJob':
    case 'finishCommand':
      return [`path ${command.path}`];
    default:
      return [];
  }
}
