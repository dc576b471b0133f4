import { z } from 'zod';

/** What happens to the servers of a cell (design 3): key and subject are the node, here the incarnation of an executor. */
export const clusterTopic = 'baton.cluster';

const executor = { node: z.string().describe('the incarnation of the executor; also key and subject') };

/** The data of each event of `baton.cluster`. */
export const clusterEventSchemas = {
  ExecutorJoined: z.object({
    ...executor,
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    capacity: z.number().int(),
  }),
  ExecutorLeft: z.object({ ...executor }).describe('it ended by itself, with nothing left to do'),
  ExecutorLost: z
    .object({
      ...executor,
      proof: z
        .enum(['exit', 'lease'])
        .nullable()
        .describe('exit: it was seen to end; lease: it ran out; null: its session is gone, its lease still runs'),
    })
    .describe('its peers take over what it owned'),
} as const;

export type ClusterEventType = keyof typeof clusterEventSchemas;
export type ClusterEventData<T extends ClusterEventType> = z.infer<(typeof clusterEventSchemas)[T]>;

export function isClusterEvent(eventType: string): eventType is ClusterEventType {
  return Object.hasOwn(clusterEventSchemas, eventType);
}
