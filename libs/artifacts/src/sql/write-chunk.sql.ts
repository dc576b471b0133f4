/**
 * The first chunk opens the upload; each later one says that somebody is still writing, and is not written when the
 * upload was collected meanwhile (no row: begin anew).
 */
export const writeChunk = /* sql */ `
with opened as (
  insert into artifact_upload (content) select $1::uuid where $2::integer = 0 returning content
), alive as (
  update artifact_upload set written_at = clock_timestamp() where content = $1::uuid and $2::integer > 0 returning content
)
insert into artifact_chunk (content, number, digest, data)
select content, $2::integer, $3::bytea, $4::bytea from (select content from opened union all select content from alive) as upload`;
