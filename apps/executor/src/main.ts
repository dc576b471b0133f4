import 'reflect-metadata';
import { BusStrategy } from '@baton/bus';
import { createMetrics, nestLogger, runService, supervised } from '@baton/telemetry';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { executorSubscriber } from './bus/executor.events.js';
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
  app.connectMicroservice({
    strategy: new BusStrategy({
      subscriber: executorSubscriber,
      mode: 'hints',
      transport: executor.bus(),
      onStart: () => executor.hint('owned', ''),
    }),
  });
  await app.listen(config.port, config.host);
  const port = Number(new URL(await app.getUrl()).port);
  // Said again for each incarnation of this program, so that its supervisor records the exit of the right one.
  await executor.start(port, (id) => life.ready({ port, executor: id }));
  // Hints make it quick; that the bus is not there is no reason to wait.
  app.startAllMicroservices().catch((error: unknown) => {
    logger.warn({ error: String(error) }, 'no hints from the bus; polls make up for them');
  });
  logger.info({ port, cell: config.cell }, 'the executor is ready');
});
