/**
 * Incarnations that are over beyond doubt (design 2, rule b): left, seen to exit, or lost with a lease that has run out.
 * A row that is gone was removed long after its end.
 */
export const provenOver = /* sql */ `
select i.id
from unnest($1::text[]) i(id)
left join executor x on x.id = i.id
where x.id is null or x.status = 'left' or x.proof is not null
  or (x.status = 'lost' and greatest(x.heartbeat_at,
    (select greatest(coalesce(max(accepting_since), now()), pg_postmaster_start_time()) from database_up))
    + x.lease_ms * interval '1 ms' < now())`;
