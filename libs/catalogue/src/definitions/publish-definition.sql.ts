/**
 * One statement, so that it is right whoever else publishes: the name's row is inserted, or locked and looked at as it
 * is then; the version follows from it. Nothing comes back when the newest version has this very text.
 * $1 name, $2 digest of the text, $3 digest, $4 text, $5 summary, $6 by.
 */
export const publishDefinition = /* sql */ `
with named as (
  insert into definition as d (name, latest_version, text_digest)
  values ($1, 1, $2)
  on conflict (name) do update
    set latest_version = d.latest_version + 1, text_digest = excluded.text_digest
    where d.text_digest <> excluded.text_digest
  returning name, latest_version
)
insert into definition_version (name, version, digest, text, summary, published_by)
select name, latest_version, $3, $4, $5::jsonb, $6 from named
returning version
`;
