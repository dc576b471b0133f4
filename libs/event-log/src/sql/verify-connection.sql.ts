/** What a new connection must know before it is used; also sets what has no name in the client's configuration. */
export const verifyConnection = /* sql */ `
select (select system_identifier::text from pg_control_system()) as system_identifier,
  case when pg_is_in_recovery() then null else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as timeline,
  to_regclass('log_incarnation') is not null as has_log,
  set_config('jit', 'off', false),
  case when current_setting('server_version_num')::int >= 170000
    then set_config('transaction_timeout', $1, false) end,
  case when $2 then set_config('enable_seqscan', 'off', false) end,
  case when $2 then set_config('plan_cache_mode', 'force_generic_plan', false) end,
  case when $3 then set_config('synchronous_commit', 'off', false) end`;
