import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ExecutorService } from '../executor.service.js';

@Controller()
export class HealthController {
  constructor(@Inject(ExecutorService) private readonly executor: ExecutorService) {}

  @Get('health/live')
  live(): { status: 'live'; checks: Record<string, string> } {
    return { status: 'live', checks: {} };
  }

  /** By progress: its heartbeat was answered within the lease. */
  @Get('health/ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string; checks: Record<string, string> } {
    if (this.executor.isReady()) return { status: 'ready', checks: { lease: 'ok' } };
    void reply.code(503).header('retry-after', '1');
    return { status: 'not-ready', checks: { lease: 'no heartbeat was answered within the lease' } };
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type(this.executor.metricsType);
    return this.executor.renderMetrics();
  }
}
