import type { z } from 'zod';
import { type ClusterEventType, clusterEventSchemas } from '../cloud-events/cluster-events.js';
import { cloudEventType } from '../cloud-events/process-events.js';
import type { JsonValue } from '../common.schemas.js';
import { clusterEventExamples } from './cluster-event.examples.js';
import { processEventExamples } from './process-event.examples.js';
import { processEventMeanings, processEventNames, processEventSchemas } from './process-event.schemas.js';

/** An event as the world is told of it. */
export interface PublicEvent {
  stream: 'process' | 'cluster';
  schema: z.ZodType;
  /** When it happens. */
  meaning: string;
  example: JsonValue;
}

const clusterMeanings: Readonly<Record<ClusterEventType, string>> = {
  ExecutorJoined: 'An executor joined the cluster and may claim processes.',
  ExecutorLeft: 'An executor ended by itself, with nothing left to do.',
  ExecutorLost: 'An executor was lost; its peers take over what it owned.',
};
export const clusterEventNames = Object.keys(clusterEventSchemas) as ClusterEventType[];

/** Every event that leaves Baton on a topic, by its name in the log. */
export const publicEvents: Readonly<Record<string, PublicEvent>> = {
  ...Object.fromEntries(
    processEventNames.map((name): [string, PublicEvent] => [
      name,
      {
        stream: 'process',
        schema: processEventSchemas[name],
        meaning: processEventMeanings[name],
        example: processEventExamples[name],
      },
    ]),
  ),
  ...Object.fromEntries(
    clusterEventNames.map((name): [string, PublicEvent] => [
      name,
      {
        stream: 'cluster',
        schema: clusterEventSchemas[name],
        meaning: clusterMeanings[name],
        example: clusterEventExamples[name],
      },
    ]),
  ),
};

/** CloudEvents type → name: what has a schema of its own. */
export const eventSchemaNames: ReadonlyMap<string, string> = new Map(
  Object.keys(publicEvents).map((name) => [cloudEventType(name), name]),
);
