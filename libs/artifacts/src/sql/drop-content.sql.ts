export const dropContent = /* sql */ `
with upload as (delete from artifact_upload where content = $1)
delete from artifact_chunk where content = $1`;
