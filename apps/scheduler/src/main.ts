import 'reflect-metadata';
import { BusStrategy } from '@baton/bus';
import { createMetrics, nestLogger, runService, supervised } from '@baton/telemetry';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { schedulerSubscriber } from './bus/scheduler.events.js';
import { readConfig } from './config.js';
import { Scheduler } from './scheduler.js';
import { schedulerModule } from './scheduler.module.js';

await runService('scheduler', async (logger) => {
  const config = readConfig();
  const metrics = createMetrics('scheduler');
  const scheduler = new Scheduler(config, logger, metrics);
  const app = await NestFactory.create<NestFastifyApplication>(
    schedulerModule(scheduler, config),
    new FastifyAdapter(),
    {
      logger: nestLogger(logger),
    },
  );
  const life = supervised({
    logger,
    async close() {
      await app.close();
      await scheduler.stop();
      await metrics.shutdown();
    },
  });
  const strategy = new BusStrategy({
    subscriber: schedulerSubscriber,
    mode: 'hints',
    transport: scheduler.bus,
    onStart: () => scheduler.look(),
  });
  app.connectMicroservice({ strategy });
  scheduler.readsBusBy(strategy);
  await scheduler.start();
  await app.listen(config.port, config.host);
  // Hints make it quick; that the bus is not there is no reason to wait.
  app.startAllMicroservices().catch((error: unknown) => {
    logger.warn({ err: error }, 'no hints from the bus; polls make up for them');
  });
  const { port } = new URL(await app.getUrl());
  logger.info({ port: Number(port), cell: config.cell, scheduler: scheduler.id }, 'the scheduler is ready');
  life.ready({ port: Number(port) });
});
