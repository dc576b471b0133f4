/**
 * Processes from requests, with their Idempotency-Keys, in one statement: one round trip and one commit instead of six.
 * What has a living key already is not written but comes back as `known`. The row of a key is written after the head and
 * in its statement, so neither is ever there without the other. Who finds a key taken that the look before did not see
 * (somebody else's commit came between) divides by zero: then nothing of the statement stays, and it is asked again.
 *
 * Parallel arrays: $1 id, $2 number of events, $3 priority, $4 not before, $5 key, its $6 limit and $7 policy;
 * $8 principal (null: no Idempotency-Key), $9 Idempotency-Key, $10 digest of the body, $11 answer.
 * Of the events: $12 stream, $13 sequence, $14 event id, $15 type, $16 schema version, $17 data, $18 metadata.
 */
export const createProcesses = /* sql */ `
with s as materialized (
  select s.*, i.body_digest as known_digest, i.answer as known_answer
  from unnest($1::uuid[], $2::int[], $3::smallint[], $4::timestamptz[], $5::text[], $6::int[], $7::text[],
      $8::text[], $9::text[], $10::text[], $11::jsonb[])
    s(id, n, priority, not_before, key, key_limit, on_limit, principal, request_key, body_digest, answer)
  left join lateral (
    select body_digest, answer from idempotency i
    where i.principal = s.principal and i.key = s.request_key and i.created_at > now() - interval '7 days'
    offset 0
  ) i on true
),
head as (
  insert into process (id, version, priority)
  select id, n, priority from s where known_digest is null
  on conflict do nothing
  returning id
),
written as (
  insert into event (stream_id, sequence, event_id, type, schema_version, data, metadata, log_incarnation)
  select e.stream, e.sequence, e.event_id, e.type, e.schema_version, e.data, e.metadata,
    (select max(number) from log_incarnation)
  from unnest($12::uuid[], $13::int[], $14::uuid[], $15::text[], $16::smallint[], $17::jsonb[], $18::jsonb[])
    e(stream, sequence, event_id, type, schema_version, data, metadata)
  where (e.stream in (select id from head)) is true
),
queued as (
  insert into queue (stream_id, priority, not_before, key, key_limit, on_limit)
  select id, priority, not_before, key, key_limit, on_limit from s where (id in (select id from head)) is true
),
to_keep as (
  select principal, request_key, body_digest, answer from s
  where principal is not null and (id in (select id from head)) is true
),
kept as (
  insert into idempotency (principal, key, body_digest, answer)
  select * from to_keep order by principal, request_key
  -- One that ran out and was not yet removed is taken over; a living one is not.
  on conflict (principal, key) do update
    set body_digest = excluded.body_digest, answer = excluded.answer, created_at = now()
    where idempotency.created_at <= now() - interval '7 days'
  returning 1
)
select (select string_agg(id::text, ',') from head) as ids,
  (select jsonb_object_agg(id, jsonb_build_array(known_digest, known_answer)) from s
    where known_digest is not null) as known,
  1 / ((select count(*) from kept) = (select count(*) from to_keep))::int as every_key_is_new`;
