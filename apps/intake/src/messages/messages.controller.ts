import type { MessageAccepted } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class MessagesController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('sendProcessMessage')
  toProcess(
    @Input() { params, body }: In<'sendProcessMessage'>,
    @Caller() caller: CallerType,
  ): Promise<MessageAccepted> {
    return this.services.messages.toProcess(params.id, body.name, body.payload ?? null, caller);
  }

  @Operation('sendMessage')
  byKey(@Input() { body }: In<'sendMessage'>, @Caller() caller: CallerType): Promise<MessageAccepted> {
    return this.services.messages.byKey(body.name, body.key, body.payload ?? null, caller);
  }
}
