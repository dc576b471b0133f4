import { expect, test } from 'vitest';
import { cloudEventType, isLifecycleEvent } from './process-events.js';

test.each([
  ['ProcessRequested', 'baton.process.requested.v1'],
  ['ProcessTakenOver', 'baton.process.taken-over.v1'],
  ['OperatorCompleted', 'baton.process.operator-completed.v1'],
  ['TaskAnswered', 'baton.process.task-answered.v1'],
])('%s is %s on the bus', (event, type) => {
  expect(cloudEventType(event)).toBe(type);
});

test('operator events are not on the lifecycle topic', () => {
  expect(isLifecycleEvent('ProcessCompleted')).toBe(true);
  expect(isLifecycleEvent('OperatorCompleted')).toBe(false);
});
