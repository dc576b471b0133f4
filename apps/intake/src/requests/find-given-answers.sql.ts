/** $1 principal, $2 keys. */
export const findGivenAnswers = /* sql */ `
select key, body_digest, answer from idempotency
where principal = $1 and key = any($2) and created_at > now() - interval '7 days'
`;
