import { ArtifactDamaged, type ArtifactStore, type Digest } from './artifact-store.port.js';

/** Json, spelled here so that artifacts need no other library. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const mediaType = 'application/json';

export interface JsonReference {
  $artifact: { digest: Digest; size: number; mediaType: string };
}

export async function putJson(store: ArtifactStore, value: Json): Promise<JsonReference> {
  const { digest, size } = await store.put(Buffer.from(JSON.stringify(value), 'utf8'), mediaType);
  return { $artifact: { digest, size, mediaType } };
}

export async function getJson(store: ArtifactStore, digest: Digest): Promise<Json> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await store.get(digest)) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as Json;
  } catch {
    throw new ArtifactDamaged(digest, 'it was asked for as JSON, and is none');
  }
}

/** What the executor needs of the store. */
export function artifactAccess(store: ArtifactStore): {
  put: ArtifactStore['put'];
  load(digest: Digest): Promise<Json>;
} {
  return {
    put: (content, type, options) => store.put(content, type, options),
    load: (digest) => getJson(store, digest),
  };
}
