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

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    constructor(initialSize?: number);
    readonly buffer: Buffer;
    writeInt16(value: number): this;
    writeInt32(value: number): this;
    writeString(value: string | null): this;
    writeBytes(value: Buffer): this;
  }
}

/** kafkajs-produce-request.ts mends it. */
declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js';

  export interface ProduceRequest {
    acks: number;
    timeout: number;
    topicData: readonly {
      topic: string;
      partitions: readonly { partition: number; messages: readonly object[]; firstSequence?: number }[];
    }[];
  }
  interface Made {
    request: { encode(): Promise<Encoder> };
  }
  const produce: { protocol(of: { version: number }): (given: ProduceRequest) => Made };
  export default produce;
}
