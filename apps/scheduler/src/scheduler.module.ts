import { type DynamicModule, Module } from '@nestjs/common';
import { SchedulerEvents } from './bus/scheduler.events.js';
import { HealthController } from './health/health.controller.js';
import { Scheduler } from './scheduler.js';

@Module({ controllers: [HealthController, SchedulerEvents] })
export class SchedulerModule {}

export function schedulerModule(scheduler: Scheduler): DynamicModule {
  return { module: SchedulerModule, providers: [{ provide: Scheduler, useValue: scheduler }] };
}
