import type { JsonRecord } from '@baton/contracts';
import type { Caller } from './http/caller.types.js';
import type { IntakeServices } from './intake.services.js';

/** Writes down who did what. It is part of what was asked: when it cannot be written, the call fails. */
export function audit(
  services: IntakeServices,
  caller: Caller,
  action: string,
  subject: string,
  detail: JsonRecord = {},
): Promise<void> {
  return services.catalogue.audit.write({ who: caller.id, from: caller.address, action, subject, detail });
}
