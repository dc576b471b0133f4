/** In the target database, made when it is missing. The key goes in first, the result beside it, in the work's own transaction. */
export const createExactlyOnce = /* sql */ `
begin;
set local lock_timeout = '10s';
select pg_advisory_xact_lock(6831726301);
create table if not exists baton_exactly_once (
  key text primary key,
  process text not null,
  path text not null,
  attempt integer not null,
  result text,
  recorded_at timestamptz not null default clock_timestamp()
);
commit`;

/** Waits for a running transaction with the same key to end. No row: it is there already, committed. */
export const insertKey = /* sql */ `
insert into baton_exactly_once (key, process, path, attempt) values ($1, $2, $3, $4)
on conflict (key) do nothing
returning (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.oid = baton_exactly_once.tableoid) as place`;

export const findResult = /* sql */ `select result, attempt from baton_exactly_once where key = $1`;

export const writeResult = (place: string): string => /* sql */ `update ${place} set result = $2 where key = $1`;
