/** Whole rows as JSON in $1; a row that has applied more is left alone. */
export const saveProcessViews = /* sql */ `
insert into process_view
select * from jsonb_populate_recordset(null::process_view, $1::jsonb)
on conflict (stream_id) do update set
  applied = excluded.applied, status = excluded.status, outcome = excluded.outcome, paused = excluded.paused,
  compensating = excluded.compensating, waiting = excluded.waiting, incidents = excluded.incidents,
  owner = excluded.owner, started_at = excluded.started_at, ended_at = excluded.ended_at
where process_view.applied < excluded.applied`;
