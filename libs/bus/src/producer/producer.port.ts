/** A record for any topic, as it goes over the wire. */
export interface BusMessage {
  /** Records of one key keep their order; null or none: any partition. */
  key?: string | null;
  value: string | Buffer | null;
  headers?: Record<string, string>;
}

/** Where a record came to stand, in the order of the messages given. */
export interface SentMessage {
  partition: number;
  offset: string;
}

export interface SendOptions {
  /** The longest time, ms; the producer's own limit by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called in the step that hands the records to the broker, each time; when it throws, nothing is sent. */
  begin?(): void;
}

/** What Baton writes to the bus beside the log's own events, which the publisher alone writes. */
export interface BusProducer {
  /**
   * Resolves when all replicas in sync have the messages: in the order given, those of one key in one partition. Ends
   * within bounded time. Throws `SendFailed`, which says whether something may have been written nevertheless.
   */
  send(topic: string, messages: readonly BusMessage[], options?: SendOptions): Promise<SentMessage[]>;
  close(): Promise<void>;
}

export type SendFault =
  /** No broker answered in time. */
  | 'away'
  | 'no-such-topic'
  | 'not-allowed'
  | 'too-large'
  /** Otherwise refused by the broker, or by the bus that has none. */
  | 'refused'
  /** Whoever sent it did not want to wait any longer. */
  | 'aborted';

export class SendFailed extends Error {
  override name = 'SendFailed';
  constructor(
    message: string,
    readonly fault: SendFault,
    /** 'not-sent': surely nothing was written. 'unknown': it may have been. */
    readonly outcome: 'not-sent' | 'unknown',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
