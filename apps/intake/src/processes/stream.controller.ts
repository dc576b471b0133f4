import { Controller, Headers, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { unknownProcess } from '../http/refusals.js';
import { IntakeServices } from '../intake.services.js';
import { EventStream } from './event.stream.js';

@Controller()
export class StreamController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('streamProcess')
  async stream(
    @Input() { params, query }: In<'streamProcess'>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const after = lastEventId === undefined || lastEventId === '' ? (query.after ?? 0) : Number(lastEventId);
    if (!Number.isInteger(after) || after < 0) {
      throw refuse('invalid', `Last-Event-ID "${lastEventId}" is not the sequence of an event`, {
        remedy: 'leave it out',
      });
    }
    const largest = this.services.catalogue.settings.get('limits.openStreams');
    if (this.services.live.size >= largest) {
      throw refuse('too-many-requests', `${largest} streams are open on this server`, { remedy: 'try again later' });
    }
    const folded = await this.services.processes.fold(params.id);
    if (!folded) throw unknownProcess(params.id);
    if (folded.state.end !== null && after >= folded.events) {
      // All was told: 204 is what ends an EventSource's reconnecting.
      reply.code(204).send();
      return;
    }
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const stream = new EventStream(params.id, after, reply.raw, this.services.live, this.services.processes);
    request.raw.once('close', () => stream.close());
    stream.start();
  }
}
