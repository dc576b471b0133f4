import type { JsonRecord } from '@baton/contracts';

/** What the compiler says of a version, kept beside its text so that intake need not compile to answer. */
export interface DefinitionVersion {
  name: string;
  version: number;
  digest: string;
  text: string;
  summary: JsonRecord;
  publishedAt: string;
  publishedBy: string;
}
export type DefinitionVersionItem = Omit<DefinitionVersion, 'text' | 'summary'>;

export interface DefinitionToPublish {
  name: string;
  text: string;
  digest: string;
  summary: JsonRecord;
  by: string;
}

/** Definitions and their immutable versions. */
export interface DefinitionStore {
  /** Unchanged text: the version it has. Changed text: the next version, whoever else publishes at the same time. */
  publish(definition: DefinitionToPublish): Promise<{ version: number; digest: string; created: boolean }>;
  /** undefined for `version`: the newest. null: there is none. */
  find(name: string, version?: number): Promise<DefinitionVersion | null>;
  /** The newest that was published at that time: `version: published` of a child. */
  findPublishedBy(name: string, time: string): Promise<DefinitionVersion | null>;
  list(after: string | undefined, limit: number): Promise<DefinitionVersionItem[]>;
  versions(name: string, before: number | undefined, limit: number): Promise<DefinitionVersionItem[]>;
  /** At most `limit` names, for "there is no such definition; known are …". */
  names(limit: number): Promise<string[]>;
}

/** A name without a namespace means `default/NAME`. */
export function fullName(name: string): string {
  return name.includes('/') ? name : `default/${name}`;
}
