import type { createLogPool, withTransaction } from '@baton/event-log';
import type { BusEvent } from './bus-event.js';

export type LogPool = ReturnType<typeof createLogPool>;
/** The connection of an open transaction. */
export type LogClient = Parameters<Parameters<typeof withTransaction>[1]>[0];

/**
 * inbox: at least once, from a checkpoint of its own, repetitions dropped by an inbox row; what keeps failing becomes a
 * dead letter. hints: from the end, without an inbox, tried once: to be used where a poll finds what is missed.
 */
export type DeliveryMode = 'inbox' | 'hints';

export interface DeliveryContext {
  subscriber: string;
  /** 1, 2, … of this delivery. */
  attempt: number;
  /**
   * The handler's own short transaction, with the inbox row in it: what it writes happens once, whatever is repeated.
   * An append within must be its first write. Without it the row is written after the handler.
   */
  transaction<T>(work: (client: LogClient) => Promise<T>): Promise<T>;
  /** For handlers that must stop with the service. */
  signal: AbortSignal;
}

export interface SubscriptionOptions {
  subscriber: string;
  mode: DeliveryMode;
  /** Names as in `@OnEvent`; '*': all. */
  events: ReadonlySet<string>;
  handle(event: BusEvent, context: DeliveryContext): Promise<void>;
  /** Hints only: from here on events are told, those of before are not: look once. After every interruption again. */
  onStart?(): void;
}

export interface Subscription {
  /** Resolves when events that happen from now on will be delivered. */
  start(): Promise<void>;
  /** Ends after the event that is being handled. */
  stop(): Promise<void>;
  /** Progress, not a ping: false when it has not read the bus for a while. */
  readonly healthy: boolean;
}

/** One implementation each: embedded (the log's tail) and Kafka. Both pass `bus.contract.ts`. */
export interface BusTransport {
  subscribe(options: SubscriptionOptions): Subscription;
}

/** A record of a broker as it came, before anybody read it. */
export interface OriginalRecord {
  key: Buffer | string | null;
  value: Buffer | string | null;
  headers: Record<string, string>;
}

export interface DeadLetter {
  subscriber: string;
  event: BusEvent;
  /** Where it came from: a position of the tail, or topic, partition and offset. */
  origin: object;
  reason: string;
  attempts: number;
  /** Over Kafka: what goes to the dead-letter topic as it was. */
  original?: OriginalRecord;
}
export interface DeadLetters {
  /** Resolves when it is stored: only then may a checkpoint or an offset move past the event. */
  put(letter: DeadLetter): Promise<void>;
  /**
   * Hands to `deliver`, one after the other, those that somebody wants delivered again; it answers what that failed
   * with, or null. Two instances of a subscriber never have the same one; one that throws leaves it for the next time.
   */
  replay?(subscriber: string, deliver: (event: BusEvent) => Promise<string | null>): Promise<number>;
}

export interface Inbox {
  has(subscriber: string, eventId: string): Promise<boolean>;
  record(subscriber: string, eventId: string): Promise<void>;
  /** It is to be handled once more. */
  forget(subscriber: string, eventId: string): Promise<void>;
  /** Throws AlreadyHandled, and nothing is written, when the row is there already. */
  transaction<T>(subscriber: string, eventId: string, work: (client: LogClient) => Promise<T>): Promise<T>;
}

export interface Timers {
  /** Monotonic, ms. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
export interface Meter {
  count(name: string, value?: number, attributes?: Record<string, string>): void;
  record(name: string, value: number, attributes?: Record<string, string>): void;
  /** What is so now. */
  gauge?(name: string, value: number, attributes?: Record<string, string>): void;
}

/** The event was handled before, perhaps a moment ago by another instance of the subscriber. */
export class AlreadyHandled extends Error {
  override name = 'AlreadyHandled';
}
