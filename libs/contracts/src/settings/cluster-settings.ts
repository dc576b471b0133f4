import { z } from 'zod';
import { roleSchema } from '../rest/roles.schemas.js';

interface ClusterSetting<T extends z.ZodType> {
  schema: T;
  default: z.output<T>;
  meaning: string;
}
function setting<T extends z.ZodType>(schema: T, fallback: z.output<T>, meaning: string): ClusterSetting<T> {
  return { schema, default: fallback, meaning };
}
const milliseconds = (min: number, max: number) => z.number().int().min(min).max(max);
const days = z.number().int().min(1).max(36_500);

/** Every cluster setting: a row with a default, changed by REST, seen by all services within five seconds, audited. */
export const clusterSettings = {
  'polling.claimMs': setting(
    milliseconds(50, 60_000),
    1000,
    'How often an executor looks for runnable processes when no hint wakes it; taken up by executors that start',
  ),
  'polling.scheduleMs': setting(
    milliseconds(50, 60_000),
    1000,
    'How often the scheduler looks for what is to be admitted when no hint wakes it',
  ),
  'polling.tailMs': setting(
    milliseconds(20, 60_000),
    250,
    'How often subscribers of the embedded bus read the tail of the log when no hint wakes them',
  ),
  'polling.streamMs': setting(
    milliseconds(50, 5000),
    1000,
    'How often a live stream looks for new events when no hint wakes it',
  ),
  'lease.executorMs': setting(
    milliseconds(500, 600_000),
    3000,
    'How long an executor that writes no heartbeat keeps its lease; taken up by executors that start',
  ),
  'lease.heartbeatMs': setting(
    milliseconds(100, 60_000),
    1000,
    'How often an executor writes its heartbeat; taken up by executors that start',
  ),
  'quarantine.deaths': setting(
    z.number().int().min(1).max(1_000_000),
    3,
    'How many executors may die driving a process alone, with no progress between, before it becomes an incident',
  ),
  'admission.maxRunning': setting(
    z.number().int().min(1).max(100_000_000).nullable(),
    null,
    'How many processes may run at once in the cluster; null: no limit',
  ),
  'snapshot.everyEvents': setting(
    z.number().int().min(10).max(1_000_000),
    500,
    'After how many events the folded state of a long stream is kept',
  ),
  'selfAudit.everyMs': setting(
    milliseconds(1000, 3_600_000),
    20_000,
    'How often the scheduler looks for open processes that nobody would drive on',
  ),
  'retention.messageDays': setting(days, 7, 'How long a message that nobody waits for yet is kept'),
  'retention.auditDays': setting(days, 365, 'How long audit rows are kept'),
  'retention.deadLetterDays': setting(days, 30, 'How long a dead letter is kept after it was replayed successfully'),
  'retention.clusterEventDays': setting(
    days,
    90,
    'How long the events of a server are kept after it left or was lost, if all subscribers have read them',
  ),
  'bus.requestAccount': setting(
    z
      .strictObject({
        name: z.string().min(1).max(200),
        role: roleSchema,
        groups: z.array(z.string().min(1).max(200)).max(100).default([]),
      })
      .nullable(),
    null,
    'As whom the events of the request topic ask that bring no token: a service account; null: they are refused',
  ),
  'limits.inputBytes': setting(
    z.number().int().min(1024).max(262_144),
    262_144,
    'How large the inputs of one request may be, as JSON',
  ),
  'limits.openStreams': setting(
    z.number().int().min(1).max(100_000),
    1000,
    'How many live streams one intake serves at once',
  ),
} as const;

export type ClusterSettingName = keyof typeof clusterSettings;
export type ClusterSettingValues = { [K in ClusterSettingName]: z.output<(typeof clusterSettings)[K]['schema']> };
export const clusterSettingNames = Object.keys(clusterSettings) as ClusterSettingName[];
