/**
 * The tables of the event log (docs/reference/event-log.md says what each is for). No foreign keys and no identity
 * columns: a cell is one database, and nothing in it may be numbered or checked across streams.
 */
export const migration0001Log = /* sql */ `
create table log_incarnation (
  number smallint primary key,
  system_identifier text not null,
  timeline text not null,
  reason text not null,
  adopted_at timestamptz not null default now()
);

create table event (
  stream_id uuid not null,
  recorded_at timestamptz not null default now(),
  transaction_id xid8 not null default pg_current_xact_id(),
  event_id uuid not null,
  sequence int not null,
  schema_version smallint not null default 1,
  log_incarnation smallint not null,
  type text not null,
  data jsonb not null,
  metadata jsonb,
  primary key (stream_id, sequence)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);
create index event_tail on event (log_incarnation, transaction_id);

create table process (
  id uuid primary key,
  runnable_at timestamptz,
  version int not null,
  priority smallint not null default 5,
  claims smallint not null default 0,
  owner text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index process_runnable on process (priority desc, runnable_at) where owner is null;
create index process_owner on process (owner) where owner is not null;

create table queue (
  stream_id uuid primary key,
  priority smallint not null,
  not_before timestamptz,
  enqueued_at timestamptz not null default now(),
  key text,
  key_limit int,
  on_limit text
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index queue_order on queue (priority desc, enqueued_at, stream_id);
create index queue_key on queue (key, enqueued_at) where key is not null;

create table slot_key (key text primary key);
create table slot (
  key text not null,
  stream_id uuid not null,
  taken_at timestamptz not null default now(),
  primary key (key, stream_id)
);
create index slot_stream on slot (stream_id);

create table child (
  stream_id uuid primary key,
  parent_id uuid not null,
  path text not null,
  attempt int not null,
  told boolean not null default false
);
create index child_parent on child (parent_id);
create index child_untold on child (stream_id) where not told;

create table task (
  stream_id uuid not null,
  id text not null,
  path text not null,
  attempt int not null,
  due_at timestamptz,
  opened_at timestamptz not null default now(),
  detail jsonb not null,
  primary key (stream_id, id)
);
create index task_id on task (id);

create table incident (
  stream_id uuid not null,
  id text not null,
  path text,
  kind text not null,
  opened_at timestamptz not null default now(),
  detail jsonb not null,
  primary key (stream_id, id)
);
create index incident_id on incident (id);

create table receiver (
  stream_id uuid not null,
  path text not null,
  attempt int not null,
  name text not null,
  key text,
  keep_ms bigint,
  topic text,
  opened_at timestamptz not null default now(),
  primary key (stream_id, path)
);
create index receiver_name on receiver (name, key, opened_at);

create table job (
  stream_id uuid not null,
  id text not null,
  path text not null,
  attempt int not null,
  queue text not null,
  opened_at timestamptz not null default now(),
  detail jsonb not null,
  primary key (stream_id, id)
);
create index job_queue on job (queue, opened_at);
create index job_id on job (id);

create table message (
  name text not null,
  key text not null,
  id text not null,
  payload jsonb not null,
  received_at timestamptz not null default now(),
  keep_until timestamptz not null,
  claimed_stream uuid,
  claimed_path text,
  delivered_at timestamptz,
  primary key (name, key, id)
);
create index message_open on message (received_at) where delivered_at is null;
create index message_claimed on message (claimed_stream, claimed_path) where delivered_at is null and claimed_stream is not null;

create table idempotency (
  principal text not null,
  key text not null,
  body_digest text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, key)
);
create index idempotency_created on idempotency (created_at);

create table executor (
  id text primary key,
  host text not null,
  pid int not null,
  version text not null,
  http text,
  capacity int not null,
  lease_ms int not null,
  heartbeat_ms int not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  driven int not null default 0,
  progress bigint not null default 0,
  draining boolean not null default false,
  locked boolean not null default false,
  status text not null default 'alive',
  proof text,
  exit jsonb,
  ended_at timestamptz
) with (fillfactor = 50);

create table database_up (
  singleton boolean primary key default true check (singleton),
  started_at timestamptz not null,
  accepting_since timestamptz not null
) with (fillfactor = 50);

create table checkpoint (
  subscriber text not null,
  log_incarnation smallint not null,
  transaction_id xid8 not null,
  stream_id uuid not null,
  sequence int not null,
  moved_at timestamptz not null default now(),
  primary key (subscriber)
) with (fillfactor = 50);

create table snapshot (
  stream_id uuid not null,
  shape int not null,
  version int not null,
  state jsonb not null,
  saved_at timestamptz not null default now(),
  primary key (stream_id, shape)
);

create table process_view (
  stream_id uuid primary key,
  applied int not null,
  definition text not null,
  definition_version int not null,
  title text,
  environment text,
  status text not null,
  outcome text,
  paused boolean not null default false,
  compensating boolean not null default false,
  waiting boolean not null default false,
  incidents int not null default 0,
  owner text,
  priority smallint not null,
  requester text not null,
  parent_id uuid,
  labels jsonb,
  requested_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
) with (fillfactor = 70);
create index process_view_requested on process_view (requested_at desc, stream_id desc);
create index process_view_status on process_view (status, requested_at desc, stream_id desc);
create index process_view_definition on process_view (definition, requested_at desc, stream_id desc);
create index process_view_labels on process_view using gin (labels jsonb_path_ops) with (fastupdate = on);
`;
