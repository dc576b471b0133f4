/**
 * Snapshots as compressed text. As jsonb they were taken apart, put together and compressed by the server: of a loop of
 * 10,000 items most of what it cost. Those of earlier releases stay in the old column, and are read by nobody else.
 */
export const migration0005Snapshots = /* sql */ `
alter table snapshot add column content bytea, alter column state drop not null;
alter table snapshot alter column content set storage external;
`;
