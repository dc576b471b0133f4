import { type DynamicModule, Module } from '@nestjs/common';
import { ExecutorEvents } from './bus/executor.events.js';
import { ExecutorService } from './executor.service.js';
import { HealthController } from './health/health.controller.js';

@Module({ controllers: [HealthController, ExecutorEvents] })
export class ExecutorModule {}

export function executorModule(service: ExecutorService): DynamicModule {
  return { module: ExecutorModule, providers: [{ provide: ExecutorService, useValue: service }] };
}
