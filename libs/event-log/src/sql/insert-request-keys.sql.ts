/** An expired key that was not yet removed is taken over; a living one is not, and then fewer rows come back. */
export const insertRequestKeys = /* sql */ `
insert into idempotency (principal, key, body_digest, answer)
select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])
on conflict (principal, key) do update
  set body_digest = excluded.body_digest, answer = excluded.answer, created_at = now()
  where idempotency.created_at <= now() - interval '7 days'
returning key`;
