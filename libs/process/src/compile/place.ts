import type { Fact } from './certainty.js';
import type { ScopeNode } from './links.js';

/** The operators that an expression may read, innermost first; a name hides the same name further out. */
export interface ScopeView {
  nodes: ReadonlyMap<string, ScopeNode>;
  certain(name: string, fact: Fact): boolean;
  /** The operator to which the expression belongs: it cannot read itself. */
  self?: string;
}

/** What an expression may see where it stands. */
export interface Place {
  roots: ReadonlySet<string>;
  /** Roots that may be absent and must be guarded with has(). */
  optionalRoots: ReadonlySet<string>;
  scopes: readonly ScopeView[];
  /** Paths that are known to be there, as `operators.a.output`: by the operator's own `when`. */
  proven: readonly string[];
}

const requestRoots = ['inputs', 'environment'] as const;
const processRoots = [...requestRoots, 'operators', 'process', 'trigger'] as const;

/** At the top of the definition: no operator, no loop. */
export function outermostPlace(): Place {
  return { roots: new Set(processRoots), optionalRoots: new Set(['trigger']), scopes: [], proven: [] };
}

export function requestPlace(): Place {
  return { roots: new Set([...requestRoots, 'process']), optionalRoots: new Set(), scopes: [], proven: [] };
}

export function withRoots(place: Place, roots: readonly string[], optional: readonly string[] = []): Place {
  return {
    ...place,
    roots: new Set([...place.roots, ...roots, ...optional]),
    optionalRoots: new Set([...[...place.optionalRoots].filter((root) => !roots.includes(root)), ...optional]),
  };
}

export function withProven(place: Place, proven: readonly string[]): Place {
  return proven.length > 0 ? { ...place, proven: [...place.proven, ...proven] } : place;
}

export function withScope(place: Place, view: ScopeView): Place {
  return { ...place, scopes: [view, ...place.scopes] };
}

/** The same scopes, of which nothing is certain: for `finally`. */
export function withoutCertainty(place: Place): Place {
  return { ...place, proven: [], scopes: place.scopes.map((view) => ({ ...view, certain: () => false })) };
}
