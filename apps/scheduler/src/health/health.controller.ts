import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Scheduler } from '../scheduler.js';

@Controller()
export class HealthController {
  constructor(@Inject(Scheduler) private readonly scheduler: Scheduler) {}

  @Get('health/live')
  live(): { status: 'live'; checks: Record<string, string> } {
    return { status: 'live', checks: {} };
  }

  /** By progress, not by a ping: each duty's last good round must be recent. */
  @Get('health/ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string; checks: Record<string, string> } {
    const health = this.scheduler.health();
    if (health.status === 'not-ready') void reply.code(503).header('retry-after', '1');
    return health;
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type(this.scheduler.metricsType);
    return this.scheduler.renderMetrics();
  }
}
