export * from './bus.ports.js';
export * from './bus-event.js';
export { busEventFrom, cloudEventOf } from './cloud-events/cloud-event.codec.js';
export { type DeadRecord, deadLetterRecord } from './dead-letters/dead-letter.record.js';
export { keptRecord, recordKept } from './dead-letters/kept-record.js';
export { TopicDeadLetters } from './dead-letters/topic-dead-letters.js';
export { EmbeddedTransport, type EmbeddedTransportOptions } from './embedded/embedded-transport.js';
export { PostgresDeadLetters, PostgresInbox } from './inbox/postgres-inbox.js';
export { busVariables, checkBus, type KafkaSettings, kafkaSettings } from './kafka/kafka.settings.js';
export { type KafkaConnection, kafkaClient } from './kafka/kafka-client.js';
export { KafkaProducer, type KafkaProducerOptions } from './kafka/kafka-producer.js';
export { KafkaTargets, type KafkaTargetsOptions, kafkaOf } from './kafka/kafka-targets.js';
export { KafkaTransport, type KafkaTransportOptions } from './kafka/kafka-transport.js';
export { TopicConsumer, type TopicConsumerOptions, type TopicRecord } from './kafka/topic-consumer.js';
export { ensureTopics, type TopicSettings, topicNames } from './kafka/topics.js';
export { Lease, releaseLeases } from './lease/lease.js';
export { BusContext, BusStrategy } from './nest/bus.strategy.js';
export { OnEvent } from './nest/on-event.decorator.js';
export { BusOperations } from './operations/bus-operations.js';
export { StatusTeller } from './operations/status-teller.js';
export * from './producer/producer.port.js';
export {
  clusterLane,
  Publisher,
  type PublisherOptions,
  type PublisherStatus,
  publisherSubscriber,
} from './publisher/publisher.js';
export { PostgresPublisherStore, type PublisherStore, type Republished } from './publisher/publisher-store.js';
export { Republisher } from './publisher/republisher.js';
export { ReplayLoop } from './subscription/replay-loop.js';
export { systemTimers } from './system-timers.js';
