import type { Definition, DefinitionItem, DefinitionPage, PublishedDefinition } from '@baton/contracts';
import { Controller, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { pageOf } from '../http/paging.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class DefinitionsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('publishDefinition')
  async publish(
    @Input() input: In<'publishDefinition'>,
    @Caller() caller: CallerType,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PublishedDefinition> {
    const published = await this.services.definitions.publish(input.body, caller.id);
    const { name, version, digest, warnings } = published;
    reply.code(published.created ? 201 : 200);
    if (published.created) await audit(this.services, caller, 'definition.publish', `${name}@${version}`, { digest });
    return { name, version, digest, ...(warnings.length > 0 ? { warnings } : {}) };
  }

  @Operation('listDefinitions')
  async list(@Input() { query }: In<'listDefinitions'>): Promise<DefinitionPage> {
    const rows = await this.services.catalogue.definitions.list(query.after, query.limit + 1);
    return pageOf(rows, query.limit, (last) => last.name);
  }

  @Operation('getDefinition')
  async get(@Input() { params, query }: In<'getDefinition'>): Promise<Definition> {
    const name = `${params.namespace}/${params.name}`;
    const found = await this.services.definitions.find(name, query.version);
    if ('unknown' in found) throw refuse('not-found', found.unknown.detail, found.unknown);
    const { summary, ...rest } = found;
    const { inputs, requiredInputs, environments } = summary;
    return { ...rest, inputs, requiredInputs, ...(environments ? { environments } : {}) };
  }

  @Operation('listDefinitionVersions')
  async versions(@Input() { params, query }: In<'listDefinitionVersions'>): Promise<DefinitionPage> {
    const name = `${params.namespace}/${params.name}`;
    const before = query.after === undefined ? undefined : Number(query.after);
    if (before !== undefined && !Number.isInteger(before)) {
      throw refuse('invalid', '"after" is not the `next` of a page of versions', {
        remedy: 'leave it out to begin anew',
      });
    }
    const rows: DefinitionItem[] = await this.services.catalogue.definitions.versions(name, before, query.limit + 1);
    if (rows.length === 0 && before === undefined) {
      const found = await this.services.definitions.find(name);
      if ('unknown' in found) throw refuse('not-found', found.unknown.detail, found.unknown);
    }
    return pageOf(rows, query.limit, (last) => String(last.version));
  }
}
