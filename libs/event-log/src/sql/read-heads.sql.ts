export const readHeads = /* sql */ `
select p.id, p.version, p.owner, p.runnable_at, p.priority, p.claims
from unnest($1::uuid[]) s(id) join process p on p.id = s.id`;
