/** One more than asked for was read: whether there is a next page shows without a second query. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  cursor: (last: T) => string,
): { items: T[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursor(last) : null };
}
