import type { BusEvent } from '@baton/bus';
import { OnEvent } from '@baton/bus';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IntakeServices } from '../intake.services.js';

/** What happens to a process reaches those who watch it at once, instead of at the next look. A hint, and nothing more. */
@Controller()
export class LiveHintsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @OnEvent('*')
  happened(@Payload() event: BusEvent): void {
    this.services.live.hint(event.subject);
  }
}
