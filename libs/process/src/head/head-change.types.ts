import type { Json } from '../json.types.js';

/**
 * What an event changes beside its own row: columns of the head and rows of queue, child, open tasks, incidents,
 * receivers. Derived from the events alone, so that the append writes it in the same statement
 * and `baton log rebuild` can make it again.
 */
export interface HeadChange {
  /** undefined: as it was. */
  owner?: string | null;
  /** null: nothing to do; 'now': by the database's clock; ISO time: a timer. undefined: as it was. */
  runnableAt?: null | 'now' | string;
  priority?: number;
  /** Claims since the last progress: 'increment' or 'reset'. */
  claims?: 'increment' | 'reset';
  rows: RowChange[];
}

/** A delete with neither id nor path means all of this stream. */
export type RowChange =
  | {
      table: 'queue';
      op: 'insert';
      priority: number;
      notBefore: string | null;
      key: string | null;
      limit: number | null;
      onLimit: string | null;
    }
  | { table: 'queue'; op: 'delete' }
  | { table: 'child'; op: 'insert'; parent: string; path: string; attempt: number } // this stream is the child
  | { table: 'task'; op: 'insert'; id: string; path: string; attempt: number; detail: Json; dueAt: string | null }
  | { table: 'task'; op: 'update'; id: string; detail: Json }
  | { table: 'task'; op: 'delete'; id?: string; path?: string }
  | { table: 'incident'; op: 'insert'; id: string; path: string | null; kind: string; detail: Json }
  | { table: 'incident'; op: 'delete'; id?: string; path?: string }
  | {
      table: 'receiver';
      op: 'insert';
      path: string;
      attempt: number;
      name: string;
      key: string | null;
      keepMs: number | null;
      topic: string | null;
      /** Of a topic: what a record must fulfil, `{ match?, schema? }`. */
      conditions: Json | null;
    }
  | { table: 'receiver'; op: 'delete'; path?: string }
  | { table: 'job'; op: 'insert'; id: string; path: string; attempt: number; queue: string; detail: Json }
  | { table: 'job'; op: 'delete'; id?: string; path?: string };
