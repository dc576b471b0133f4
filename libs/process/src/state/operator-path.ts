/** Paths: `a`, `a[KEY]`, `a[KEY]#2/b`, `a/compensate`, `a/verify`, `finally/x`. */
export interface Segment {
  name: string;
  key: string | null;
  iteration: number | null;
}

export function parseSegment(text: string): Segment {
  let name = text;
  let key: string | null = null;
  let iteration: number | null = null;
  const hash = name.lastIndexOf('#');
  if (hash >= 0) {
    iteration = Number(name.slice(hash + 1));
    name = name.slice(0, hash);
  }
  if (name.endsWith(']')) {
    const bracket = name.indexOf('[');
    key = name.slice(bracket + 1, -1);
    name = name.slice(0, bracket);
  }
  return { name, key, iteration };
}

export const itemPath = (loop: string, key: string): string => `${loop}[${key}]`;

/** Keys are percent-encoded, so that no key can be taken for a part of a path. */
export const encodeKey = (key: string): string => encodeURIComponent(key.toWellFormed());

/** The path that holds this one: `g#2/x` → `g`, `l[0]` → `l`, `a` → ``. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  if (last.endsWith(']')) return path.slice(0, slash + 1 + last.indexOf('['));
  if (slash < 0) return '';
  const parent = path.slice(0, slash);
  const hash = parent.lastIndexOf('#');
  return hash > parent.lastIndexOf('/') ? parent.slice(0, hash) : parent;
}

/** From the outermost to the path itself. */
export function ancestry(path: string): string[] {
  const chain: string[] = [];
  for (let at = path; at !== ''; at = parentPath(at)) chain.push(at);
  return chain.reverse();
}

export function isWithin(path: string, outer: string): boolean {
  if (outer === '') return true;
  if (!path.startsWith(outer) || path.length === outer.length) return false;
  const next = path[outer.length];
  return next === '/' || next === '[' || next === '#';
}
