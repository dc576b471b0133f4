/** Some at a time, so that no statement runs long. */
export const collectUploads = /* sql */ `
with leftover as (
  delete from artifact_upload where content in (
    select content from artifact_upload
    where written_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
    limit 50 for update skip locked
  ) returning content
), dropped as (
  delete from artifact_chunk where content in (select content from leftover)
)
select count(*)::int as count from leftover`;
