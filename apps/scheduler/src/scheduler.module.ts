import { type DynamicModule, Module } from '@nestjs/common';
import { MessageWaitsEvents } from './bus/message-waits.events.js';
import { SchedulerEvents } from './bus/scheduler.events.js';
import type { SchedulerConfig } from './config.js';
import { HealthController } from './health/health.controller.js';
import { Scheduler } from './scheduler.js';

@Module({})
export class SchedulerModule {}

export function schedulerModule(scheduler: Scheduler, { kafka }: Pick<SchedulerConfig, 'kafka'>): DynamicModule {
  return {
    module: SchedulerModule,
    controllers: [HealthController, SchedulerEvents, ...(kafka === null ? [] : [MessageWaitsEvents])],
    providers: [{ provide: Scheduler, useValue: scheduler }],
  };
}
