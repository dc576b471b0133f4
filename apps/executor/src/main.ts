import 'reflect-metadata';
import { createMetrics, nestLogger, runService, supervised } from '@baton/telemetry';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from './config.js';
import { executorModule } from './executor.module.js';
import { ExecutorService } from './executor.service.js';

await runService('executor', async (logger) => {
  const config = readConfig();
  const metrics = createMetrics('executor');
  const executor = new ExecutorService(config, logger, metrics);
  const app = await NestFactory.create<NestFastifyApplication>(executorModule(executor), new FastifyAdapter(), {
    logger: nestLogger(logger),
  });
  const life = supervised({
    logger,
    graceMs: config.graceMs + 5_000,
    async close() {
      await executor.stop();
      await app.close();
      await metrics.shutdown();
    },
  });
  await app.listen(config.port, config.host);
  const port = Number(new URL(await app.getUrl()).port);
  // Said again for each incarnation of this program, so that its supervisor records the exit of the right one.
  await executor.start(port, (id) => life.ready({ port, executor: id }));
  logger.info({ port, cell: config.cell }, 'the executor is ready');
});
