import { BadCursor } from '../read-model.port.js';

/** Cursors are opaque to callers: the sort key of the last item that was given out. */
export function writeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}
export function readCursor(cursor: string, shape: readonly ('string' | 'uuid' | 'micros')[]): string[] {
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch (error) {
    throw new BadCursor({ cause: error });
  }
  if (!Array.isArray(key) || key.length !== shape.length) throw new BadCursor();
  return shape.map((kind, at) => {
    const value: unknown = key[at];
    if (typeof value !== 'string') throw new BadCursor();
    if (kind === 'uuid' && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) throw new BadCursor();
    if (kind === 'micros' && !/^\d{1,18}$/.test(value)) throw new BadCursor();
    return value;
  });
}

export const defaultLimit = 100;
export const mostPerPage = 1_000;
export function pageSize(limit: number | undefined): number {
  return Math.max(1, Math.min(mostPerPage, limit ?? defaultLimit));
}
