export { freePort, PostgresCluster } from '@baton/postgres';
export { type KafkaBroker, kafkaBroker, kafkaMissing } from './kafka/kafka-broker.js';
export { OtlpReceiver, type ReceivedSpan } from './otlp/otlp-receiver.js';
export {
  type TestCluster,
  type TestDatabase,
  type TestDatabaseOptions,
  type TestMigration,
  testCluster,
  testDatabase,
} from './postgres/test-database.js';
export { untilSettled } from './postgres/until-settled.js';
