import type { BusEvent } from '@baton/bus';
import { OnEvent } from '@baton/bus';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Scheduler } from '../scheduler.js';
import { schedulerSubscriber } from './scheduler.events.js';

/**
 * A receiver that began to wait for a message that is here already, while NOTIFY does not tell. Over Kafka only, where all
 * events come along: on the embedded bus each start of an operator would be read from the log for it, and the scan finds
 * these within a second.
 */
@Controller()
export class MessageWaitsEvents {
  constructor(@Inject(Scheduler) private readonly scheduler: Scheduler) {}

  @OnEvent('process.operator-started', schedulerSubscriber)
  started(@Payload() { data }: BusEvent): void {
    // A large event comes without its data: it may be such a one.
    if (typeof data !== 'object' || data === null || !('path' in data) || waitsForMessage(data)) this.scheduler.match();
  }
}

function waitsForMessage(data: object): boolean {
  if (!('waitsFor' in data)) return false;
  const { waitsFor } = data;
  return typeof waitsFor === 'object' && waitsFor !== null && 'kind' in waitsFor && waitsFor.kind === 'message';
}
