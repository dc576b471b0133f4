import type { CompiledDefinition, CompiledOperator, CompiledScope } from '../compile/compiled.types.js';
import { parseSegment } from '../state/operator-path.js';

/** Where a path stands in the definition: its operator, the scopes it can see, the loops around it. */
export interface Place {
  op: CompiledOperator;
  /** From the outermost; names are looked up from the last. */
  frames: { scope: CompiledScope; prefix: string }[];
  /** Loops around the path (itself included, when it is an item), from the outermost. */
  loops: { path: string; key: string; op: CompiledOperator }[];
  /** Undo and verification: the path whose undo or verification it is, and its operator's name. */
  subject: { path: string; name: string } | null;
}

/** Undefined: the definition has no such operator (a log of another definition). */
export function locate(definition: CompiledDefinition, path: string): Place | undefined {
  const frames = [{ scope: definition.operators, prefix: '' }];
  const loops: Place['loops'] = [];
  let subject: Place['subject'] = null;
  let rest = path;
  let prefix = '';
  if (path.startsWith('finally/')) {
    frames.push({ scope: definition.finally, prefix: 'finally/' });
    prefix = 'finally/';
    rest = path.slice(prefix.length);
  }
  let op: CompiledOperator | undefined;
  let scope: CompiledScope | undefined = frames[frames.length - 1]?.scope;
  for (const text of rest.split('/')) {
    const segment = parseSegment(text);
    const held = op;
    const at = prefix + (segment.iteration === null ? text : text.slice(0, text.lastIndexOf('#')));
    op = undefined;
    if (held !== undefined && (segment.name === 'compensate' || segment.name === 'verify')) {
      op = segment.name === 'compensate' ? held.compensate : held.verify;
      if (op !== undefined) subject = { path: prefix.slice(0, -1), name: held.name };
    }
    if (op === undefined) {
      if (held !== undefined) {
        scope = held.scope;
        if (scope !== undefined) frames.push({ scope, prefix });
      }
      op = scope?.byName.get(segment.name);
    }
    if (op === undefined) return undefined;
    if (segment.key !== null) loops.push({ path: at.slice(0, at.lastIndexOf('[')), key: segment.key, op });
    prefix = `${prefix}${text}/`;
  }
  return op === undefined ? undefined : { op, frames, loops, subject };
}
