/** Who holds the tail back, oldest first: writers and row lockers of the whole cluster, also prepared ones. */
export const readHorizon = /* sql */ `
select * from (
  select pid, datname as database, application_name as application, state,
    extract(epoch from clock_timestamp() - xact_start) * 1000 as age_ms
  from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
  union all
  select null, database, 'prepared transaction ' || gid, 'prepared',
    extract(epoch from clock_timestamp() - prepared) * 1000
  from pg_prepared_xacts
) h order by age_ms desc nulls last limit 20`;
