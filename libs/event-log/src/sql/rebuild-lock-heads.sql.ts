/** Makes missing heads, at a version that no append expects, so that nobody writes past them. */
export const rebuildMissingHeads = /* sql */ `
insert into process (id, version) select id, 0 from unnest($1::uuid[]) i(id) on conflict do nothing`;

export const rebuildLockHeads = /* sql */ `select id from process where id = any($1) order by id for update`;
