import { clusterTopic } from '../cloud-events/cluster-events.js';
import { isLifecycleEvent, processLifecycleTopic, processTopic } from '../cloud-events/process-events.js';
import { deadLetterTopic, requestTopic } from '../cloud-events/topics.js';
import type { JsonRecord } from '../common.schemas.js';
import { publicEvents } from '../events/public-events.js';
import { AsyncApiSchemas, describeMessages, messageTraits } from './asyncapi-messages.js';
import { promises, requestPromises } from './promises.text.js';

export interface AsyncApiOptions {
  version: string;
  /** In front of every topic's name. */
  prefix?: string;
}

/** The AsyncAPI 3.0 document of the topics, made from the same schemas as the events. */
export function asyncApiDocument({ version, prefix = '' }: AsyncApiOptions): JsonRecord {
  const schemas = new AsyncApiSchemas();
  const messages = describeMessages(schemas);
  const events = (holds: (name: string) => boolean) => [...Object.keys(publicEvents).filter(holds), 'DataReference'];
  const isOfProcess = (name: string) => publicEvents[name]?.stream === 'process';
  const channels: JsonRecord = {
    process: channel(prefix + processTopic, 'Every event of every process.', events(isOfProcess)),
    processLifecycle: channel(
      prefix + processLifecycleTopic,
      'What happens to a process as a whole: some of the events of the channel `process`, with the same ids. Its `ce_sequence` counts all events of the process, so here it skips numbers.',
      events((name) => isOfProcess(name) && isLifecycleEvent(name)),
    ),
    cluster: channel(
      prefix + clusterTopic,
      'What happens to the servers; key and subject are the node.',
      events((name) => !isOfProcess(name)),
    ),
    request: channel(prefix + requestTopic, requestPromises, ['ProcessRequest']),
    deadLetter: channel(
      prefix + deadLetterTopic,
      'What could not be handled, with the place where it stood and the reason.',
      ['DeadLetter'],
    ),
  };
  return {
    asyncapi: '3.0.0',
    info: { title: 'Baton: events', version, description: promises },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{brokers}',
        protocol: 'kafka',
        description: 'The brokers that Baton publishes to (its KAFKA_BROKERS).',
        variables: { brokers: { default: 'localhost:9092', description: 'host:port, comma-separated' } },
      },
    },
    channels,
    operations: {
      publishProcessEvents: operation('send', 'process', 'Baton publishes what happens to processes.'),
      publishLifecycleEvents: operation('send', 'processLifecycle', 'Baton publishes how processes begin and end.'),
      publishClusterEvents: operation('send', 'cluster', 'Baton publishes what happens to its servers.'),
      acceptRequests: operation('receive', 'request', 'Baton starts the processes that are asked for.'),
      publishDeadLetters: operation('send', 'deadLetter', 'Baton puts away what could not be handled.'),
    },
    components: { messages, messageTraits, schemas: schemas.all },
  };
}

function channel(address: string, description: string, names: string[]): JsonRecord {
  return {
    address,
    description,
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: { kafka: { topic: address, bindingVersion: '0.5.0' } },
  };
}

function operation(action: 'send' | 'receive', name: string, summary: string): JsonRecord {
  return { action, channel: { $ref: `#/channels/${name}` }, summary };
}
