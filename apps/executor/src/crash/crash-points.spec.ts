import { afterEach, expect, it } from 'vitest';
import { crashPoint, parseCrashPlan, planCrash } from './crash-points.js';

afterEach(() => planCrash(null));

it('a crash point does nothing unless a plan names it, and then at that passage only', () => {
  expect(() => crashPoint('after-append')).not.toThrow();
  planCrash(parseCrashPlan('after-append:throw:2'));
  expect(() => crashPoint('before-append')).not.toThrow();
  expect(() => crashPoint('after-append')).not.toThrow();
  expect(() => crashPoint('after-append')).toThrow('crash point after-append');
  expect(() => crashPoint('after-append')).not.toThrow();
});
it('a plan that makes no sense is refused by name', () => {
  expect(() => parseCrashPlan('nowhere')).toThrow('nowhere');
  expect(() => parseCrashPlan('after-append:explode')).toThrow('explode');
  expect(() => parseCrashPlan('after-append:kill:0')).toThrow('0');
});
