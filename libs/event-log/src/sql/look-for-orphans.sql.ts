/** Heads of lost incarnations, a random share of those looked at, so that survivors spread them among themselves. */
export const lookForOrphans = /* sql */ `
select * from (
  select p.id, p.version, p.owner, p.claims
  from executor x
  cross join lateral (
    select id, version, owner, claims from process where owner = x.id limit $2
  ) p
  where x.status in ('lost', 'left')
  limit $2
) q order by random() limit $1`;
