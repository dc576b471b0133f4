export { freePort, type TestCluster, testCluster } from './postgres/test.cluster.js';
export { type TestDatabase, type TestDatabaseOptions, testDatabase } from './postgres/test.database.js';
