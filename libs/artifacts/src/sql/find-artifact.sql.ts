export const findArtifact = /* sql */ `
select content, size::float8 as size, chunk_size from artifact where digest = $1`;
