export * from './artifact-json.js';
export * from './artifact-store.port.js';
export { FileArtifactStore } from './files/file-artifact-store.js';
export { migrateArtifacts } from './postgres/migrate-artifacts.js';
export { PostgresArtifactStore } from './postgres/postgres-artifact-store.js';
