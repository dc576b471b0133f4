/** How long until the next start time comes (ms, null: none is known). */
export const nextStart = /* sql */ `
select (extract(epoch from min(not_before) - clock_timestamp()) * 1000)::float8 as in_ms
from queue where not_before > now()`;
