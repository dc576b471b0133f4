/** How far everybody who reads the log is behind its end. $1 the most that is counted. */
export const subscriberLags = /* sql */ `
select c.subscriber, c.moved_at, coalesce(l.events, 0)::int as events, coalesce(l.seconds, 0)::float8 as seconds
from checkpoint c
cross join lateral (
  select count(*) as events, extract(epoch from now() - min(recorded_at)) as seconds from (
    select recorded_at from event
    where (log_incarnation, transaction_id) >= (c.log_incarnation, c.transaction_id)
      and (log_incarnation, transaction_id, stream_id, sequence)
        > (c.log_incarnation, c.transaction_id, c.stream_id, c.sequence)
    order by event.log_incarnation, event.transaction_id limit $1
  ) behind
) l
where c.subscriber not like '%/cluster'
order by c.subscriber`;

const columns = /* sql */ `
id, subscriber, event_id, type, subject, reason, attempts, failed_at, origin, replay_requested_at, replayed_at, replay_error`;

/** $1 subscriber or null, $2 and $3 the last of the page before, $4 how many. */
export const listDeadLetters = /* sql */ `
select ${columns}, extract(epoch from failed_at)::text as cursor from bus_dead_letter
where replayed_at is null and ($1::text is null or subscriber = $1)
  and ($2::numeric is null or (failed_at, id) < (to_timestamp(0) + $2::numeric * interval '1 second', $3::uuid))
order by failed_at desc, id desc limit $4`;

export const findDeadLetter = /* sql */ `select ${columns} from bus_dead_letter where id = $1`;

/** $1 one of them, or null: all. $2 who asks. */
export const requestReplay = /* sql */ `
update bus_dead_letter set replay_requested_at = now(), replay_requested_by = $2, replay_error = null
where replayed_at is null and ($1::uuid is null or id = $1) returning ${columns}`;

/** The next one that its subscriber is to get again; the lock holds off other instances of it. */
export const nextReplay = /* sql */ `
select id, event from bus_dead_letter where subscriber = $1 and replay_requested_at is not null
order by replay_requested_at, failed_at, id limit 1 for update skip locked`;

/** $2 what it failed with, or null. */
export const noteReplay = /* sql */ `
update bus_dead_letter set replay_requested_at = null, replay_error = $2,
  replayed_at = case when $2::text is null then now() end, attempts = attempts + 1
where id = $1`;

/** $1 days, $2 how many. One that failed again meanwhile has no time of replay, so it stays. */
export const removeReplayed = /* sql */ `
delete from bus_dead_letter where id in (
  select id from bus_dead_letter
  where replayed_at < now() - $1 * interval '1 day' and replay_requested_at is null limit $2)`;

export const addRepublish = /* sql */ `
insert into log_job (id, kind, requested_by, detail) values (gen_random_uuid(), 'republish', $1, $2)
returning id, requested_by, requested_at, finished_at, progress, error`;

export const listRepublish = /* sql */ `
select id, requested_by, requested_at, finished_at, progress, error from log_job
where kind = 'republish' and ($1::uuid is null or id = $1) order by requested_at desc limit 5`;

/** $1 what a scheduler tells of its bus. */
export const tellBusStatus = /* sql */ `
insert into bus_status (name, status) values ('bus', $1)
on conflict (name) do update set status = excluded.status, told_at = now()`;
