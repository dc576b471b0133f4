export const lookAtQueue = /* sql */ `
select stream_id, priority, not_before, enqueued_at, key, key_limit, on_limit
from queue
where not_before is null or not_before <= now()
order by priority desc, enqueued_at, stream_id
limit $1`;
