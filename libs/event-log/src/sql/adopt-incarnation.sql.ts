/** A new log incarnation for the cluster and timeline that are found; $1 why. Where nothing changed, none is made. */
export const adoptIncarnation = /* sql */ `
insert into log_incarnation (number, system_identifier, timeline, reason)
select k.number + 1, f.system_identifier, f.timeline, $1
from (select * from log_incarnation order by number desc limit 1) k,
  (select (select system_identifier::text from pg_control_system()) as system_identifier,
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline) f
where (k.system_identifier, k.timeline) is distinct from (f.system_identifier, f.timeline)
on conflict do nothing
returning number`;
