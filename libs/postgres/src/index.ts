export { ensureDataDirectory, postmasterState } from './data-directory.js';
export { freePort } from './free-port.js';
export { fsyncPath } from './fsync-path.js';
export { postgresBinaries } from './postgres-binaries.js';
export {
  DataDirectoryInUse,
  isAlive,
  PostgresCluster,
  type PostgresClusterOptions,
  type StopMode,
} from './postgres-cluster.js';
export { canEnter, postgresOwner } from './postgres-owner.js';
