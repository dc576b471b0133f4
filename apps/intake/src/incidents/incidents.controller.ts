import type { Incident, IncidentPage, IncidentResolved } from '@baton/contracts';
import type { IncidentItem } from '@baton/event-log';
import type { IncidentAction, Json } from '@baton/process';
import { Controller, Inject } from '@nestjs/common';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { doneOrThrow, processOfPart } from '../http/refusals.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class IncidentsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('listIncidents')
  async list(@Input() { query }: In<'listIncidents'>): Promise<IncidentPage> {
    const { process, after, limit } = query;
    const page = await this.services.waits.incidents({
      ...(process === undefined ? {} : { process }),
      ...(after === undefined ? {} : { after }),
      limit,
    });
    return { items: page.items.map(incidentView), next: page.next };
  }

  @Operation('resolveIncident')
  async resolve(
    @Input() { params, body }: In<'resolveIncident'>,
    @Caller() caller: CallerType,
  ): Promise<IncidentResolved> {
    const process = processOfPart(params.id) ?? (await this.services.waits.incident(params.id))?.process;
    if (process === undefined) throw unknownIncident(params.id);
    const { action, output, reason } = body;
    const by = { id: caller.id, groups: caller.groups };
    const given = output === undefined ? {} : { output };
    const result = await this.services.commands.handle(
      process,
      { kind: 'resolveIncident', incidentId: params.id, action, reason, by, ...given },
      { actor: caller.id },
    );
    if (result.status === 'not-found') throw unknownIncident(params.id);
    doneOrThrow(result, process);
    return { id: params.id, process, action };
  }
}

function unknownIncident(id: string) {
  return refuse('not-found', `there is no open incident ${id}`, { remedy: 'GET /v1/incidents lists what is open' });
}

function incidentView(row: IncidentItem): Incident {
  const { id, process, path, kind, openedAt } = row;
  const detail: { [key: string]: Json } =
    row.detail !== null && typeof row.detail === 'object' && !Array.isArray(row.detail) ? row.detail : {};
  const actions = Array.isArray(detail['actions']) ? detail['actions'].filter(isAction) : [];
  const reason = typeof detail['reason'] === 'string' ? detail['reason'] : '';
  return { id, process, path, kind, reason, actions, raisedAt: openedAt };
}

function isAction(value: Json): value is IncidentAction {
  return value === 'rerun' || value === 'skip' || value === 'fail';
}
