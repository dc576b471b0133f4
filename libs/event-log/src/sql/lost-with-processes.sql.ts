export const lostWithProcesses = /* sql */ `
select x.id, x.proof from executor x
where x.status = 'lost' and x.id <> $1 and exists (select from process p where p.owner = x.id)`;
