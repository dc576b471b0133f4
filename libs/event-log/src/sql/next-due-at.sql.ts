/** The earliest future runnable_at of unowned heads, one index probe per priority level. */
export const nextDueAt = /* sql */ `
select min(q.runnable_at) as due
from generate_series(0, 9) v(level)
cross join lateral (
  select runnable_at from process
  where owner is null and priority = v.level and runnable_at > now()
  order by runnable_at limit 1
) q`;
