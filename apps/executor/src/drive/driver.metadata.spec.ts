import { expect, it } from 'vitest';
import { driverMetadata } from './driver.metadata.js';

it('names the incarnation once: in the event, or beside it', () => {
  expect(driverMetadata({ type: 'ProcessStarted', data: { executor: 'x1' } }, 'x1')).toEqual({});
  expect(driverMetadata({ type: 'ProcessScheduled', data: {} }, 'x1')).toEqual({ executor: 'x1' });
  expect(driverMetadata({ type: 'ProcessStarted', data: { executor: 'x2' } }, 'x1')).toEqual({ executor: 'x1' });
});
