import type { CompiledLink } from './compiled.types.js';
import type { ScopeNode } from './links.js';

/** What may be known of an operator at a place: it has an output, it has an error, it has a status. */
export type Fact = 'completed' | 'failed' | 'ended';

/** Answers whether something is certain about one operator when another one runs, or when their scope has completed. */
export class Certainty {
  readonly #whenRuns = new Map<string, boolean>();
  readonly #reached = new Map<string, boolean>();

  constructor(private readonly nodes: ReadonlyMap<string, ScopeNode>) {}

  /** When `node` runs. The links are acyclic here: a cycle was refused before. */
  whenRuns(node: ScopeNode, of: string, fact: Fact): boolean {
    const key = `${node.name}\n${of}\n${fact}`;
    const known = this.#whenRuns.get(key);
    if (known !== undefined) return known;
    this.#whenRuns.set(key, false);
    const links = node.after;
    const holds = (link: CompiledLink) => this.#holdsThrough(link, of, fact);
    const certain = joinOf(node) === 'all' ? links.some(holds) : links.length > 0 && links.every(holds);
    this.#whenRuns.set(key, certain);
    return certain;
  }

  #holdsThrough(link: CompiledLink, of: string, fact: Fact): boolean {
    const source = this.nodes.get(link.from);
    if (!source) return true; // a link to nothing is a fault of its own
    if (link.from === of && factOf(link, source)[fact]) return true;
    if (link.on === 'any' && this.#mayBeCancelled(source)) return false;
    return this.whenRuns(source, of, fact);
  }

  /** When the whole scope has completed. */
  atEnd(of: string, fact: Fact): boolean {
    const node = this.nodes.get(of);
    if (!node || fact === 'failed' || !this.#reachedAtEnd(node)) return false;
    if (fact === 'ended') return true;
    return !maySkip(node) && !this.#mayFail(node) && !this.#mayBeCancelled(node);
  }

  #reachedAtEnd(node: ScopeNode): boolean {
    const known = this.#reached.get(node.name);
    if (known !== undefined) return known;
    this.#reached.set(node.name, false);
    const certain = (link: CompiledLink) => {
      const source = this.nodes.get(link.from);
      if (!source || !this.#reachedAtEnd(source)) return false;
      if (link.on === 'any') return true;
      return link.on === 'completed' && !this.#mayFail(source) && !this.#mayBeCancelled(source);
    };
    const links = node.after;
    const reached = links.length === 0 || (joinOf(node) === 'all' ? links.every(certain) : links.some(certain));
    this.#reached.set(node.name, reached);
    return reached;
  }

  /** It may have failed although the scope completed: somebody handles it. */
  #mayFail(node: ScopeNode): boolean {
    return this.#successorLinks(node).some(({ link }) => link.on === 'failed' || link.on === 'any');
  }

  #mayBeCancelled(node: ScopeNode): boolean {
    return this.#successorLinks(node).some(({ successor }) => successor.raw['cancelRest'] === true);
  }

  #successorLinks(node: ScopeNode): { successor: ScopeNode; link: CompiledLink }[] {
    return node.successors.flatMap((name) => {
      const successor = this.nodes.get(name);
      return (successor?.after ?? [])
        .filter((link) => link.from === node.name)
        .flatMap((link) => (successor ? [{ successor, link }] : []));
    });
  }
}

function factOf(link: CompiledLink, source: ScopeNode): Record<Fact, boolean> {
  return {
    completed: link.on === 'outcome' || (link.on === 'completed' && !maySkip(source)),
    failed: link.on === 'failed',
    ended: true,
  };
}

function maySkip(node: ScopeNode): boolean {
  return node.raw['when'] !== undefined && node.raw['when'] !== true;
}

function joinOf(node: ScopeNode): 'all' | 'any' | 'settled' {
  const join = node.raw['join'];
  return join === 'any' || join === 'settled' ? join : 'all';
}
