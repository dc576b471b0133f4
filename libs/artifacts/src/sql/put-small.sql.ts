/** A content of one chunk in one statement; nothing happens when the store has it. */
export const putSmall = /* sql */ `
with made as (
  insert into artifact (digest, content, size, chunk_size) values ($1, $2, $3, $4)
  on conflict (digest) do nothing returning content
)
insert into artifact_chunk (content, number, digest, data)
select content, 0, $5::bytea, $6::bytea from made where $3::bigint > 0`;
