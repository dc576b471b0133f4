import type { AuditPage, ExecutorList, FindingPage, RebuildStarted } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { pageOf } from '../http/paging.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class ClusterController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('listExecutors')
  async executors(): Promise<ExecutorList> {
    const rows = await this.services.executors.list();
    const items = rows.map((row) => {
      const { id, host, pid, version, status, processes, capacity, startedAt, heartbeatAt } = row;
      return { id, host, pid, version, status, processes, capacity, startedAt, heartbeatAt };
    });
    return { items };
  }

  @Operation('rebuildLog')
  async rebuild(@Caller() caller: CallerType): Promise<RebuildStarted> {
    const { requestedAt } = await this.services.rebuild.request(caller.id);
    await audit(this.services, caller, 'log.rebuild', 'log');
    return { status: 'requested', requestedAt };
  }

  @Operation('listFindings')
  async findings(@Input() { query }: In<'listFindings'>): Promise<FindingPage> {
    const page = await this.services.findings.list(query.after, query.limit);
    if (page) return page;
    throw refuse('invalid', '"after" is not the `next` of a page of the findings', {
      remedy: 'leave it out to begin anew',
    });
  }

  @Operation('listAudit')
  async auditTrail(@Input() { query }: In<'listAudit'>): Promise<AuditPage> {
    if (query.after !== undefined && !/^\d{1,18}$/.test(query.after)) {
      throw refuse('invalid', '"after" is not the `next` of a page of the audit', {
        remedy: 'leave it out to begin anew',
      });
    }
    const rows = await this.services.catalogue.audit.list(query.subject, query.after, query.limit + 1);
    return pageOf(rows, query.limit, (last) => last.id);
  }
}
