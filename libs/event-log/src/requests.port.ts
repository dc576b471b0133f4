import type { Json } from '@baton/process';
import type { EventToAppend } from './event-log.port.js';

/** Creation of processes from requests; with an Idempotency-Key at most once for 7 days. */
export interface RequestStore {
  /** Results in the order of the requests. A request that cannot be stored is told apart; the others go through. */
  createMany(requests: readonly NewProcess[]): Promise<CreateResult[]>;
  createOnce(request: NewProcess): Promise<CreateResult>;
  /** Removes keys that are older than 7 days; returns how many. */
  removeExpiredKeys(): Promise<number>;
}

export interface NewProcess {
  stream: string;
  events: EventToAppend[];
  /** What the first call with this key is answered, and every later one with the same body. */
  answer: Json;
  key?: { principal: string; key: string; bodyDigest: string };
}

export type CreateResult =
  | { status: 'created'; answer: Json }
  /** The same key and body came before: its answer. */
  | { status: 'repeated'; answer: Json }
  /** The same key came before with another body: refused. */
  | { status: 'key-reused' }
  | { status: 'bad'; code: string; message: string };
