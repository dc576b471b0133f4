import { asyncApiDocument, eventJsonSchema, eventSchemaNames, nearestName } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import { type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

/** The contract of the topics: for those who subscribe, and know nothing else of Baton. */
@Controller()
export class TopicsController {
  private document: object | undefined;
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('asyncapi')
  asyncapi(): object {
    this.document ??= asyncApiDocument({ version: '1', prefix: this.services.topicPrefix });
    return this.document;
  }

  @Operation('eventSchema')
  schema(@Input() { params }: In<'eventSchema'>): object {
    const type = params.schema.replace(/\.json$/, '');
    const name = eventSchemaNames.get(type);
    if (name !== undefined) return eventJsonSchema(name);
    const near = nearestName(type, [...eventSchemaNames.keys()]);
    throw refuse('not-found', `there is no event ${type}`, {
      remedy: near === undefined ? 'GET /asyncapi.json lists every event' : `Did you mean ${near}?`,
    });
  }
}
