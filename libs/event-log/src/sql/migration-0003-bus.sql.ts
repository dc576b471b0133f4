/**
 * What happens to the servers of a cell, in the form of the log's events so that the same tail reads it: the node stands
 * in data.node, and its stream is derived from it. What the publisher knows of the topics, what the bus tells of itself,
 * dead letters that somebody wants delivered again, and what a job is to do.
 */
export const migration0003Bus = /* sql */ `
create table cluster_event (
  stream_id uuid not null,
  recorded_at timestamptz not null default now(),
  transaction_id xid8 not null default pg_current_xact_id(),
  event_id uuid not null default gen_random_uuid(),
  sequence int not null,
  schema_version smallint not null default 1,
  log_incarnation smallint not null,
  type text not null,
  data jsonb not null,
  metadata jsonb,
  primary key (stream_id, sequence)
);
create index cluster_event_tail on cluster_event (log_incarnation, transaction_id);
create index cluster_event_recorded on cluster_event (recorded_at);

create table bus_publisher (
  name text primary key,
  cluster_id text,
  marks jsonb not null default '{}',
  republished jsonb,
  moved_at timestamptz not null default now()
) with (fillfactor = 50);

create table bus_status (
  name text primary key,
  status jsonb not null,
  told_at timestamptz not null default now()
) with (fillfactor = 50);

alter table bus_dead_letter
  add column id uuid not null default gen_random_uuid(),
  add column replay_requested_at timestamptz,
  add column replay_requested_by text,
  add column replayed_at timestamptz,
  add column replay_error text;
create unique index bus_dead_letter_id on bus_dead_letter (id);
create index bus_dead_letter_replay on bus_dead_letter (subscriber) where replay_requested_at is not null;
create index bus_dead_letter_failed on bus_dead_letter (failed_at desc, id);

alter table log_job add column detail jsonb;
`;
