export const readChunk = /* sql */ `
select digest, data from artifact_chunk where content = $1 and number = $2`;
