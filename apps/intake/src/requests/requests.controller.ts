import type { RequestAccepted, RequestResult } from '@baton/contracts';
import { Controller, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { ProblemError, refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class RequestsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('createRequests')
  async create(
    @Input() { body }: In<'createRequests'>,
    @Caller() caller: CallerType,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RequestAccepted | RequestResult[]> {
    if (caller.idempotencyKey !== null && caller.idempotencyKey.length > 255) {
      throw refuse('invalid', 'the Idempotency-Key is longer than 255 characters', { remedy: 'use a shorter one' });
    }
    if (Array.isArray(body)) {
      reply.code(200);
      const results = await this.services.requests.acceptMany(body, caller);
      return results.map((item) => ('problem' in item ? item.problem : { status: 202, id: item.accepted.id }));
    }
    const result = await this.services.requests.acceptOne(body, caller);
    if ('problem' in result) throw new ProblemError(result.problem);
    reply.code(202).header('location', `/v1/processes/${encodeURIComponent(result.accepted.id)}`);
    return result.accepted;
  }
}
