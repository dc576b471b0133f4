import { schemaVersions } from '../events/event-types.js';
import type { ProcessEvent, ProcessEventType } from '../events/process-event.types.js';
import type { JsonObject } from '../json.types.js';

/** An event as it was written, perhaps long ago, perhaps by a later release. */
export interface WrittenEvent {
  type: string;
  schemaVersion: number;
  data: object;
}

/** An executor never drives a process whose events it does not understand. */
export interface NotUnderstood {
  code: 'unknown-type' | 'later-version' | 'invalid-version';
  type: string;
  schemaVersion: number;
  reason: string;
}

/** From version n to n + 1 of one type. A released shape never changes; it gets a successor, and a step here. */
export type Upcaster = (data: JsonObject) => JsonObject;
export type Upcasters = Partial<Record<ProcessEventType, Record<number, Upcaster>>>;

const released: Upcasters = {};

const isKnown = (type: string): type is ProcessEventType => Object.hasOwn(schemaVersions, type);

/** The event in today's shape, or why this release does not understand it. */
export function upcast(
  event: WrittenEvent,
  upcasters: Upcasters = released,
  versions: Readonly<Record<ProcessEventType, number>> = schemaVersions,
): { event: ProcessEvent } | { refused: NotUnderstood } {
  const { type, schemaVersion } = event;
  if (!isKnown(type)) {
    return refuse(event, 'unknown-type', `This release does not know events of type ${type}.`);
  }
  const today = versions[type];
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1) {
    return refuse(
      event,
      'invalid-version',
      `Expected a schemaVersion of at least 1, but ${type} has ${schemaVersion}.`,
    );
  }
  if (schemaVersion > today) {
    const reason = `This release knows ${type} up to version ${today}, but this one has version ${schemaVersion}.`;
    return refuse(event, 'later-version', reason);
  }
  let data = event.data as JsonObject;
  for (let version = schemaVersion; version < today; version++) {
    const step = upcasters[type]?.[version];
    if (step === undefined) {
      return refuse(event, 'invalid-version', `There is no way from version ${version} of ${type} to the next.`);
    }
    data = step(data);
  }
  return { event: { type, data } as ProcessEvent };
}

const refuse = (event: WrittenEvent, code: NotUnderstood['code'], reason: string): { refused: NotUnderstood } => ({
  refused: { code, type: event.type, schemaVersion: event.schemaVersion, reason },
});
