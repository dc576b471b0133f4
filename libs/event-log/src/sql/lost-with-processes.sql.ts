/**
 * Incarnations that are over and still own processes: lost, or left before they could release all. One row is looked up
 * for each: joined as a whole, all heads that are owned were read at every look.
 */
export const lostWithProcesses = /* sql */ `
select x.id, x.proof from executor x
cross join lateral (select from process where owner = x.id limit 1) p
where x.status <> 'alive' and x.id <> $1`;
