export const readLogIncarnation = /* sql */ `
select number, system_identifier, timeline from log_incarnation order by number desc limit 1`;
