import type { BusRepublish, BusStatus, DeadLetter, DeadLetterPage, JsonRecord, ReplayStarted } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class BusController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('getBus')
  status(): Promise<BusStatus> {
    return this.services.bus.status();
  }

  @Operation('listDeadLetters')
  async deadLetters(@Input() { query }: In<'listDeadLetters'>): Promise<DeadLetterPage> {
    const page = await this.services.bus.deadLetters(query);
    if (page) return page;
    throw refuse('invalid', '"after" is not the `next` of a page of the dead letters', {
      remedy: 'leave it out to begin anew',
    });
  }

  @Operation('getDeadLetter')
  async deadLetter(@Input() { params }: In<'getDeadLetter'>): Promise<DeadLetter> {
    return (await this.services.bus.deadLetter(params.id)) ?? this.#unknown(params.id);
  }

  @Operation('replayDeadLetter')
  async replay(@Input() { params }: In<'replayDeadLetter'>, @Caller() caller: CallerType): Promise<DeadLetter> {
    const letter = (await this.services.bus.replay(params.id, caller.id)) ?? this.#unknown(params.id);
    const { eventId: event, subscriber } = letter;
    await audit(this.services, caller, 'bus.replay', params.id, { event, subscriber });
    return letter;
  }

  @Operation('replayDeadLetters')
  async replayAll(@Caller() caller: CallerType): Promise<ReplayStarted> {
    const count = await this.services.bus.replayAll(caller.id);
    await audit(this.services, caller, 'bus.replay', 'all', { count });
    return { count };
  }

  @Operation('republishEvents')
  async republish(@Input() { body }: In<'republishEvents'>, @Caller() caller: CallerType): Promise<BusRepublish> {
    const job = await this.services.bus.republish(body, caller.id);
    if (job === 'embedded')
      throw refuse('no-longer-fits', 'The bus is the embedded one: there are no topics to write to', {
        remedy: 'subscribers of the embedded bus read the log itself, each from its own checkpoint',
      });
    const range = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as JsonRecord;
    await audit(this.services, caller, 'bus.republish', job.id, range);
    this.services.wakeUp.notify('cluster', 'republish');
    return job;
  }

  @Operation('getRepublish')
  async republishing(@Input() { params }: In<'getRepublish'>): Promise<BusRepublish> {
    return (await this.services.bus.republishing(params.id)) ?? this.#unknown(params.id);
  }

  #unknown(id: string): never {
    throw refuse('not-found', `There is no ${id} here`, {
      remedy: '`baton bus dead-letters` and `baton bus` list what there is',
    });
  }
}
