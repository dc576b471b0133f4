import type { Environment, EnvironmentPage } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { pageOf } from '../http/paging.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class EnvironmentsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('listEnvironments')
  async list(@Input() { query }: In<'listEnvironments'>): Promise<EnvironmentPage> {
    const rows = await this.services.catalogue.environments.list(query.after, query.limit + 1);
    return pageOf(rows, query.limit, (last) => last.name);
  }

  @Operation('getEnvironment')
  async get(@Input() { params }: In<'getEnvironment'>): Promise<Environment> {
    const found = await this.services.catalogue.environments.find(params.name);
    if (found) return found;
    const known = await this.services.catalogue.environments.names(50);
    throw refuse('not-found', `there is no environment ${params.name}`, { known, remedy: 'make it with PUT' });
  }

  @Operation('putEnvironment')
  async put(@Input() { params, body }: In<'putEnvironment'>, @Caller() caller: CallerType): Promise<Environment> {
    const { variables, connections, secrets } = body;
    const change = {
      ...(variables ? { variables } : {}),
      ...(connections ? { connections } : {}),
      ...(secrets ? { secrets } : {}),
    };
    const stored = await this.services.catalogue.environments.put(params.name, change);
    const changed = { connections: Object.keys(connections ?? {}), secrets: Object.keys(secrets ?? {}) };
    await audit(this.services, caller, 'environment.put', params.name, changed);
    return stored;
  }
}
