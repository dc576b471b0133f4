export { freePort, PostgresCluster } from '@baton/postgres';
export { type KafkaBroker, kafkaBroker, kafkaMissing } from './kafka/kafka-broker.js';
export {
  type TestCluster,
  type TestDatabase,
  type TestDatabaseOptions,
  type TestMigration,
  testCluster,
  testDatabase,
} from './postgres/test-database.js';
