/** Incarnations that are over and still own processes: lost, or left before they could release all. */
export const lostWithProcesses = /* sql */ `
select x.id, x.proof from executor x
where x.status <> 'alive' and x.id <> $1 and exists (select from process p where p.owner = x.id)`;
