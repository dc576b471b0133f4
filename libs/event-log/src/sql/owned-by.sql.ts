export const ownedBy = /* sql */ `select id, version from process where owner = $1`;
