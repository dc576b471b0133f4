export const admittedButQueued = /* sql */ `
select q.stream_id, q.priority, q.not_before, q.enqueued_at, q.key, q.key_limit, q.on_limit
from slot s join queue q on q.stream_id = s.stream_id and q.key = s.key
limit $1`;
