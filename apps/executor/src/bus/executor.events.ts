import type { BusEvent } from '@baton/bus';
import { OnEvent } from '@baton/bus';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { ExecutorService } from '../executor.service.js';

export const executorSubscriber = 'executor';

/** What executors listen to (design 3): hints. Whatever is missed, a poll of at most a second finds. */
@Controller()
export class ExecutorEvents {
  constructor(@Inject(ExecutorService) private readonly executor: ExecutorService) {}

  @OnEvent(['process.scheduled', 'process.released', 'process.retried'], executorSubscriber)
  runnable(): void {
    this.executor.hint('runnable', '');
  }

  /** Whoever parked it may be gone when it is due. */
  @OnEvent('process.parked', executorSubscriber)
  parked(@Payload() event: BusEvent): void {
    const { data } = event;
    if (typeof data === 'object' && data !== null && 'dueAt' in data && typeof data.dueAt === 'string')
      this.executor.noteDue(data.dueAt);
  }

  /** What it owned can be taken over now. */
  @OnEvent('cluster.executor-lost', executorSubscriber)
  lost(): void {
    this.executor.hint('cluster', '');
  }

  /** It may be driven here, or wait for somebody who takes it up. */
  @OnEvent(
    [
      'process.task-answered',
      'process.message-received',
      'process.job-done',
      'process.command-done',
      'process.child-ended',
      'process.cancel-requested',
      'process.paused',
      'process.resumed',
      'process.incident-resolved',
    ],
    executorSubscriber,
  )
  news(@Payload() event: BusEvent): void {
    this.executor.hint('owned', event.subject);
    this.executor.hint('runnable', '');
  }
}
