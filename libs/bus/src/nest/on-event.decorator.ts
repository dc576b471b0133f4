import { type ArgumentsHost, applyDecorators, Catch, type RpcExceptionFilter, UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';

/** What a handler throws reaches the bus as it is: Nest would hide it behind "Internal server error". */
@Catch()
class PassOn implements RpcExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}

/**
 * A method that handles events of the bus: `@OnEvent('process.requested')`, several names, or '*' for all. Its
 * parameters: `@Payload() event: BusEvent, @Ctx() context: BusContext`. `subscriber` where an application has several.
 */
export function OnEvent(events: string | readonly string[], subscriber?: string): MethodDecorator {
  const names: string | string[] = typeof events === 'string' ? events : [...events];
  const transport = subscriber === undefined ? undefined : transportOf(subscriber);
  return applyDecorators(EventPattern<string | string[]>(names, transport), UseFilters(new PassOn()));
}

export function transportOf(subscriber: string): symbol {
  return Symbol.for(`baton.bus.${subscriber}`);
}
