export const findRequestKeys = /* sql */ `
select k.principal, k.key, i.body_digest, i.answer
from unnest($1::text[], $2::text[]) k(principal, key)
join idempotency i on i.principal = k.principal and i.key = k.key
where i.created_at > now() - interval '7 days'`;
