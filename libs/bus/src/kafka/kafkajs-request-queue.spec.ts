import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { mendRequestQueue } from './kafkajs-request-queue.js';

beforeEach(() => {
  vi.useFakeTimers();
  mendRequestQueue();
});
afterEach(() => {
  vi.useRealTimers();
});

function queue(): RequestQueue {
  const logger = { debug: () => undefined };
  return new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'me',
    broker: 'a:1',
    logger: { ...logger, namespace: () => logger },
    isConnected: () => true,
  });
}

it('sets no timer while no request waits', () => {
  const idle = queue();
  idle.checkPendingRequests();
  expect(vi.getTimerCount()).toBe(0);
});

it('still sends what waits for the end of a throttle', () => {
  const throttled = queue();
  const sent: number[] = [];
  throttled.maybeThrottle(100);
  throttled.push({
    entry: { correlationId: 7, resolve: () => undefined },
    expectResponse: false,
    sendRequest: () => void sent.push(7),
  });
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(sent).toEqual([7]);
});
