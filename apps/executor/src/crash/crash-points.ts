/**
 * Named points at which a test lets this process die, stop or throw (design 6, "crash").
 * All of them stand here; test/crash compares this list with its cases. Without BATON_CRASH_POINT each is a no-op.
 */
export const crashPoints = [
  'before-claim',
  'after-claim',
  'during-takeover',
  'before-append',
  'after-append',
  'before-effect',
  'after-effect',
  'before-outcome',
  'after-park',
  'before-spawn',
  'after-spawn',
  'after-end',
  'after-tell-parent',
  'before-release',
] as const;
export type CrashPoint = (typeof crashPoints)[number];
export type CrashAction = 'kill' | 'stop' | 'throw';

export interface CrashPlan {
  point: CrashPoint;
  action: CrashAction;
  /** At which passage, from 1. */
  passage: number;
}

let plan: CrashPlan | null = null;
let passages = 0;

/** `after-append`, `after-append:kill`, `after-append:stop:3`. Refuses a name that is not listed. */
export function parseCrashPlan(text: string): CrashPlan {
  const [point, action = 'kill', passage = '1'] = text.split(':');
  if (!crashPoints.some((known) => known === point))
    throw new Error(`BATON_CRASH_POINT names no crash point: ${point}. Known: ${crashPoints.join(', ')}`);
  if (action !== 'kill' && action !== 'stop' && action !== 'throw')
    throw new Error(`BATON_CRASH_POINT: the action is kill, stop or throw, not ${action}`);
  if (!/^[1-9]\d*$/.test(passage)) throw new Error(`BATON_CRASH_POINT: the passage is a number from 1, not ${passage}`);
  return { point: point as CrashPoint, action, passage: Number(passage) };
}

export function planCrash(next: CrashPlan | null): void {
  plan = next;
  passages = 0;
}

export function crashPoint(point: CrashPoint): void {
  if (plan === null || plan.point !== point) return;
  passages += 1;
  if (passages !== plan.passage) return;
  if (plan.action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (plan.action === 'stop') process.kill(process.pid, 'SIGSTOP');
  else throw new Error(`crash point ${point}`);
}
