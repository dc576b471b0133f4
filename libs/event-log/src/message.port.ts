import type { Json } from '@baton/process';

/**
 * Messages to a correlation key. A message is claimed for one receiver before it is appended there, so that two
 * matchers never give it to two; the append is idempotent by the message's id.
 */
export interface MessageStore {
  /** Idempotent by (name, key, id). `keepMs`: how long it waits for a receiver. */
  post(message: { id: string; name: string; key: string; payload: Json; keepMs: number }): Promise<{ isNew: boolean }>;
  /** Claims messages for the oldest waiting receivers, and gives again those that were claimed and not delivered. */
  match(limit: number): Promise<Delivery[]>;
  delivered(delivery: Delivery): Promise<void>;
  /** The receiver did not want it any more: it waits for the next one. */
  giveBack(delivery: Delivery): Promise<void>;
  /** Removes what was delivered or waited too long. */
  removeExpired(limit: number): Promise<number>;
}
export interface Delivery {
  id: string;
  name: string;
  key: string;
  payload: Json;
  stream: string;
  path: string;
}
