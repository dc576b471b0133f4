import { type Health, openApiDocument } from '@baton/contracts';
import { Controller, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Operation } from '../http/operation.decorator.js';
import { IntakeServices } from '../intake.services.js';

const document = openApiDocument('1');

@Controller()
export class HealthController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('healthLive')
  live(): Health {
    return { status: 'live', checks: {} };
  }

  @Operation('healthReady')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await this.services.health.ready();
    if (health.status === 'not-ready') reply.code(503).header('retry-after', '1');
    return health;
  }

  @Operation('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return this.services.metrics.text();
  }

  @Operation('openapi')
  openapi(): object {
    return document;
  }
}
