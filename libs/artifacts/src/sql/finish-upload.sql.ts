/**
 * Makes the upload visible. Not when the store has the content already (then its chunks are dropped by the caller), and
 * not when the upload was collected meanwhile. Returns what the store now holds under the digest.
 */
export const finishUpload = /* sql */ `
with upload as (
  delete from artifact_upload where content = $2 returning content
), made as (
  insert into artifact (digest, content, size, chunk_size)
  select $1, content, $3, $4 from upload
  on conflict (digest) do nothing returning content
)
select (select count(*)::int from upload) as uploaded, (select count(*)::int from made) as made`;
