/** Newest first. Filters that are not asked for are not in the statement, so that each list finds its index. */
export function listProcessViews(filters: {
  /** `several`: separated by commas; only one of them finds its index. */
  status: boolean | 'several';
  definition: boolean;
  labels: boolean;
  after: boolean;
}): string {
  // $1 limit, $2 status, $3 definition, $4 labels, $5 and $6 where the last page ended.
  const conditions = [
    filters.status === 'several'
      ? "status = any(string_to_array($2::text, ','))"
      : filters.status
        ? 'status = $2::text'
        : '$2::text is null',
    filters.definition ? 'definition = $3::text' : '$3::text is null',
    filters.labels ? 'labels @> $4::jsonb' : '$4::jsonb is null',
    filters.after
      ? `(requested_at, stream_id) < ('epoch'::timestamptz + $5::bigint * interval '1 microsecond', $6::uuid)`
      : '$5::bigint is null and $6::uuid is null',
  ];
  return /* sql */ `
select *, (extract(epoch from requested_at) * 1000000)::bigint::text as micros
from process_view where ${conditions.join(' and ')}
order by requested_at desc, stream_id desc limit $1`;
}
