/**
 * Admission (design 2): a slot is taken in a transaction of its own, committed before ProcessScheduled is appended,
 * and given back after the end. What a crash leaves between is found by scans.
 */
export interface AdmissionStore {
  /** Due entries by priority, then age. Only a look. */
  lookAtQueue(limit: number): Promise<QueueEntry[]>;
  /** The earliest start time that is still to come. */
  nextStartAt(): Promise<string | null>;
  /** Idempotent: a process that holds the slot already has it. */
  takeSlot(key: string, limit: number, stream: string): Promise<SlotAnswer>;
  /** After the end of a process; returns the keys that were freed. */
  freeSlots(stream: string): Promise<string[]>;
  /** Who holds slots of a key, oldest first: for cancelOldest. */
  holders(key: string): Promise<string[]>;
  /** Frees the slots of processes that have ended, at most `limit`; returns the keys. */
  freeLeakedSlots(limit: number): Promise<string[]>;
  /** Processes that hold a slot and still stand in the queue: the scheduler died between slot and append. */
  admittedButQueued(limit: number): Promise<QueueEntry[]>;
  depth(): Promise<{ priority: number; count: number }[]>;
}

export interface QueueEntry {
  stream: string;
  priority: number;
  notBefore: string | null;
  enqueuedAt: string;
  key: string | null;
  limit: number | null;
  onLimit: 'queue' | 'reject' | 'skip' | 'cancelOldest' | null;
}
export interface SlotAnswer {
  taken: boolean;
  /** Slots of the key that are taken now. */
  used: number;
}

/** Children whose parent was not told of their end (design 2, rule 5). */
export interface ChildStore {
  untold(limit: number): Promise<EndedChild[]>;
  markTold(child: string): Promise<void>;
  childrenOf(parent: string): Promise<{ child: string; path: string; attempt: number; told: boolean }[]>;
}
export interface EndedChild {
  child: string;
  parent: string;
  path: string;
  attempt: number;
  /** The event that ended it. */
  type: 'ProcessCompleted' | 'ProcessFailed' | 'ProcessCancelled';
  data: unknown;
}
