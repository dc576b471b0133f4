export const nextJob = /* sql */ `select id, kind, detail from log_job where finished_at is null order by requested_at limit 1`;
export const startJob = /* sql */ `update log_job set started_at = now(), error = null where id = $1`;
export const noteProgress = /* sql */ `update log_job set progress = $2 where id = $1`;
export const finishJob = /* sql */ `update log_job set finished_at = now(), error = $2 where id = $1`;
