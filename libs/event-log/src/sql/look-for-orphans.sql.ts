/**
 * Heads of incarnations that are over, or of which the executors' table knows nothing (found by skipping through the
 * owners), a random share of those looked at, so that survivors spread them among themselves. $3: not these
 * (as a set that is hashed once: there may be hundreds).
 */
export const lookForOrphans = /* sql */ `
with recursive owners(id) as (
  (select owner from process where owner is not null order by owner limit 1)
  union all
  select (select p.owner from process p where p.owner > o.id order by p.owner limit 1) from owners o where o.id is not null
)
select * from (
  select p.id, p.version, p.owner, p.claims, (extract(epoch from now() - x.ended_at) * 1000)::float8 as waited
  from owners o
  left join executor x on x.id = o.id
  cross join lateral (
    select id, version, owner, claims from process where owner = o.id and id not in (select unnest($3::uuid[])) limit $2
  ) p
  where o.id is not null and (x.id is null or x.status in ('lost', 'left'))
  limit $2
) q order by random() limit $1`;
