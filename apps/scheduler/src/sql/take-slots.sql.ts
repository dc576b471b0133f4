export const createSlotKeys = /* sql */ `insert into slot_key (key) select unnest($1::text[]) on conflict do nothing`;
/** Locks the keys' rows, always in the same order: whoever takes slots of them does it one after another. */
export const lockSlotKeys = /* sql */ `select from slot_key where key = any($1) order by key for update`;
/** A statement of its own, after the lock: it sees what the one before committed. $2: whose slots are named. */
export const countSlots = /* sql */ `
select key, count(*)::int as held,
  coalesce(array_agg(stream_id::text) filter (where stream_id = any($2::uuid[])), '{}') as mine
from slot where key = any($1) group by key`;
export const insertSlots = /* sql */ `
insert into slot (key, stream_id) select * from unnest($1::text[], $2::uuid[]) on conflict do nothing`;
