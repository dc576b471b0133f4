import type { BatonServer } from './baton.server.js';

/**
 * W6: lays down ended processes of ten events each, as a log that has run for a while holds them. Written by the server
 * itself in batches: what is measured is the log's size, not how it came about.
 */
export async function growTo(baton: BatonServer, events: number, say: (text: string) => void): Promise<void> {
  const batch = 20_000;
  for (let laid = 0; laid < events / 10; laid += batch) {
    const count = Math.min(batch, events / 10 - laid);
    await baton.query(
      `with made as (
        insert into process (id, version, owner, runnable_at) select gen_random_uuid(), 10, null, null
        from generate_series(1, $1::int) returning id
      )
      insert into event (stream_id, sequence, event_id, type, data, metadata, log_incarnation)
      select id, n, gen_random_uuid(), case when n = 10 then 'ProcessCompleted' else 'OperatorCompleted' end,
        jsonb_build_object('path', 'o' || n, 'attempt', 1, 'output', jsonb_build_object('i', n)),
        '{"executor": "c1-00000000-0000-7000-8000-000000000000"}'::jsonb, 1
      from made cross join generate_series(1, 10) n`,
      [count],
    );
    if (laid % 200_000 === 0) say(`laid down ${laid * 10} of ${events} events`);
  }
  // The list of processes is fed from here on: the rows were never requested, and have no view.
  await baton.query(
    `update checkpoint set (log_incarnation, transaction_id, stream_id, sequence) = (1, pg_snapshot_xmin(pg_current_snapshot()),
      '00000000-0000-0000-0000-000000000000', 0) where subscriber = 'process-views'`,
  );
  await baton.query('vacuum analyze event');
  await baton.query('vacuum analyze process');
}
