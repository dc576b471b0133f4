import type { BusEvent } from '@baton/bus';
import { OnEvent } from '@baton/bus';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Scheduler } from '../scheduler.js';

export const schedulerSubscriber = 'scheduler';

/** What the scheduler listens to (design 3). All of it is also found by its polls: the bus makes it fast. */
@Controller()
export class SchedulerEvents {
  constructor(@Inject(Scheduler) private readonly scheduler: Scheduler) {}

  @OnEvent('process.requested', schedulerSubscriber)
  requested(): void {
    this.scheduler.admit();
  }

  @OnEvent(['process.completed', 'process.failed', 'process.cancelled'], schedulerSubscriber)
  ended(@Payload() event: BusEvent): void {
    this.scheduler.ended(event.subject);
  }
}
