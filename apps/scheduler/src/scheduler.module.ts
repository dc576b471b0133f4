import { type DynamicModule, Module } from '@nestjs/common';
import { HealthController } from './health/health.controller.js';
import { Scheduler } from './scheduler.js';

@Module({ controllers: [HealthController] })
export class SchedulerModule {}

export function schedulerModule(scheduler: Scheduler): DynamicModule {
  return { module: SchedulerModule, providers: [{ provide: Scheduler, useValue: scheduler }] };
}
