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
