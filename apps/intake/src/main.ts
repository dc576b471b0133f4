import 'reflect-metadata';
import { createMetrics, runService, supervised } from '@baton/telemetry';
import { bootstrapAdmin } from './bootstrap.admin.js';
import { readConfig } from './config.js';
import { createIntakeApp } from './intake.app.js';
import { wireIntake } from './intake.wiring.js';
import { migrateAll } from './migrate.js';
import { loadOperators } from './operator.modules.js';
import { waitForDatabase } from './wait.for.database.js';

await runService('intake', async (logger) => {
  const config = readConfig(process.env);
  const migrateOnly = process.argv[2] === 'migrate';
  const warn = (error: unknown) => logger.warn({ err: error }, 'a connection failed');
  if (config.migrate || migrateOnly) {
    await waitForDatabase(() => migrateAll(config.databaseUrl, warn), logger);
    logger.info({}, 'the database has the schema of this release');
  }
  if (migrateOnly) return;
  const metrics = createMetrics('intake');
  const operators = await loadOperators(config.operators);
  const parts = await waitForDatabase(() => wireIntake(config, { logger, metrics, operators }), logger);
  const { catalogue } = parts.services;
  while (!(await catalogue.isMigrated())) {
    logger.info({}, 'waiting for the schema of this release: BATON_MIGRATE=on, or "main.js migrate", makes it');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  if (config.adminToken !== null) await bootstrapAdmin(catalogue.tokens, config.adminToken);
  await parts.start();
  const app = await createIntakeApp(parts.services, {
    logger,
    bus: parts.bus,
    onAnswer: (answered) => parts.metrics.answered(answered),
  });
  const child = supervised({
    logger,
    close: async () => {
      await app.close();
      await parts.stop();
      await metrics.shutdown();
    },
  });
  await app.listen(config.port, config.host);
  // Hints make live streams quick; that the bus is not there is no reason to wait.
  app.startAllMicroservices().catch((error: unknown) => {
    logger.warn({ err: error }, 'no hints from the bus; polls make up for them');
  });
  const address = app.getHttpServer().address();
  const port = address !== null && typeof address === 'object' ? address.port : config.port;
  logger.info({ host: config.host, port }, 'intake is ready');
  child.ready({ port });
});
