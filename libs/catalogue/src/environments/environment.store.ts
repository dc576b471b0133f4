import type { Environment, JsonRecord } from '@baton/contracts';

export interface EnvironmentChange {
  /** As a whole; undefined: as they were. */
  variables?: JsonRecord;
  /** Those named are set, or removed with null; others stay. */
  connections?: Record<string, { type: string; url: string } | null>;
  secrets?: Record<string, string | null>;
}

/** Environments: where a process acts. What connections and secrets hold comes out only for the executor. */
export interface EnvironmentStore {
  put(name: string, change: EnvironmentChange): Promise<Environment>;
  find(name: string): Promise<Environment | null>;
  list(after: string | undefined, limit: number): Promise<Environment[]>;
  names(limit: number): Promise<string[]>;
  /** Unsealed, at the moment of use. null: there is none of that name. */
  connection(environment: string, name: string): Promise<{ type: string; url: string } | null>;
  secret(environment: string, name: string): Promise<string | null>;
}
