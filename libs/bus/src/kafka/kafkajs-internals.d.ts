/** What kafkajs has no types for, and kafkajs-request-queue.ts mends. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    constructor(options: object);
    readonly pending: readonly unknown[];
    push(request: {
      entry: { correlationId: number; resolve(): void };
      expectResponse: boolean;
      sendRequest(): void;
    }): void;
    maybeThrottle(ms: number): void;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}
