/**
 * What the services around the log keep in its database: leases of duties that only one may do at a time, what each
 * subscriber of the bus has handled and could not handle, findings of the self-audit, jobs asked for (rebuild). And the
 * orders in which the scheduler looks at the queue.
 */
export const migration0002Duties = /* sql */ `
create index queue_plain on queue (priority desc, enqueued_at, stream_id) where key is null and not_before is null;
create index queue_not_before on queue (not_before) where not_before is not null;
create index queue_key_order on queue (key, priority desc, enqueued_at, stream_id) where key is not null;
create index process_view_open on process_view (stream_id) where ended_at is null;

create table lease (
  name text primary key,
  holder text not null,
  fence bigint not null default 1,
  expires_at timestamptz not null
) with (fillfactor = 50);

create table bus_inbox (
  subscriber text not null,
  event_id uuid not null,
  handled_at timestamptz not null default now(),
  primary key (subscriber, event_id)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index bus_inbox_handled on bus_inbox (handled_at);

create table bus_dead_letter (
  subscriber text not null,
  event_id uuid not null,
  type text not null,
  subject text not null,
  event jsonb not null,
  origin jsonb not null,
  reason text not null,
  attempts int not null,
  failed_at timestamptz not null default now(),
  primary key (subscriber, event_id)
);

create table audit_finding (
  stream_id uuid not null,
  kind text not null,
  detail text not null,
  found_at timestamptz not null default now(),
  repaired_at timestamptz,
  primary key (stream_id, kind, found_at)
);
create index audit_finding_found on audit_finding (found_at desc);

create table log_job (
  id uuid primary key,
  kind text not null,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  progress jsonb,
  error text
);
create index log_job_open on log_job (requested_at) where finished_at is null;
`;
