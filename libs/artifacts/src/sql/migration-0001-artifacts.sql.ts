/** Contents are written in chunks under an id of their own, in short statements; the row in `artifact` makes them visible. */
export const migration0001Artifacts = /* sql */ `
create table artifact (
  digest text primary key,
  content uuid not null,
  size bigint not null,
  chunk_size integer not null,
  stored_at timestamptz not null default clock_timestamp()
);
create table artifact_chunk (
  content uuid not null,
  number integer not null,
  digest bytea not null,
  data bytea not null,
  primary key (content, number)
);
alter table artifact_chunk alter column data set storage external;
create table artifact_upload (
  content uuid primary key,
  written_at timestamptz not null default clock_timestamp()
)`;
