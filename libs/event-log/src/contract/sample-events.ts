import type { ProcessEvent, ProcessEventData } from '@baton/process';
import type { EventToAppend } from '../event-log.port.js';
import { uuidv7 } from '../process-id.js';

export function item(event: ProcessEvent): EventToAppend {
  return { id: uuidv7(), event, metadata: {} };
}
export function requested(more: Partial<ProcessEventData['ProcessRequested']> = {}): EventToAppend {
  return item({
    type: 'ProcessRequested',
    data: {
      definition: { name: 'default/sample', version: 1, digest: 'd' },
      environment: null,
      inputs: {},
      priority: 5,
      labels: {},
      requester: { id: 'anna', groups: [] },
      ...more,
    },
  });
}
export const scheduled = (): EventToAppend => item({ type: 'ProcessScheduled', data: {} });
export const startedBy = (executor: string): EventToAppend => item({ type: 'ProcessStarted', data: { executor } });
export const takenOver = (executor: string, from: string): EventToAppend =>
  item({ type: 'ProcessTakenOver', data: { executor, from, eventsFolded: 3, operatorsPassedOver: 0 } });
export const parked = (dueAt: string | null = null): EventToAppend =>
  item({ type: 'ProcessParked', data: { waitsFor: ['wait'], dueAt } });
export const operatorStarted = (path: string, executor: string): EventToAppend =>
  item({ type: 'OperatorStarted', data: { path, type: 'http', class: 'effect', attempt: 1, executor } });
export const operatorCompleted = (path: string, output: string | null = null): EventToAppend =>
  item({ type: 'OperatorCompleted', data: { path, attempt: 1, output } });
export const completed = (): EventToAppend => item({ type: 'ProcessCompleted', data: { outputs: null } });
export const waitsForMessage = (path: string, name: string, key: string): EventToAppend =>
  item({
    type: 'OperatorStarted',
    data: {
      path,
      type: 'receive',
      class: 'waiting',
      attempt: 1,
      executor: 'x1',
      waitsFor: { kind: 'message', name, key },
    },
  });
