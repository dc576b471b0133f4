import type { CompiledDefinition } from '@baton/process';
import type { Logger } from '../executor.ports.js';

/** The text of a definition version, and how it becomes one that can run. */
export interface DefinitionSourcePort {
  text(name: string, version: number): Promise<{ text: string; digest: string } | null>;
  /** Null: this version of Baton, or the operators it has loaded, do not understand it. */
  compile(text: string, version: number): CompiledDefinition | { faults: string[] };
}

const mostDefinitions = 500;

/** Compiled definition versions, kept: they never change. One that is not understood is asked about again after a minute. */
export class DefinitionCache {
  private readonly known = new Map<string, Promise<CompiledDefinition | null>>();
  private readonly refusedUntil = new Map<string, number>();

  constructor(
    private readonly source: DefinitionSourcePort,
    private readonly clock: { monotonic(): number },
    private readonly logger: Logger,
  ) {}

  load(name: string, version: number): Promise<CompiledDefinition | null> {
    const key = `${name}@${version}`;
    const until = this.refusedUntil.get(key);
    if (until !== undefined && this.clock.monotonic() < until) return Promise.resolve(null);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= mostDefinitions) this.known.delete(this.known.keys().next().value ?? '');
    const loading = this.compile(key, name, version);
    this.known.set(key, loading);
    // A failure (the database is away) is not an answer.
    loading.then(
      (definition) => {
        if (definition === null) this.refuse(key);
      },
      () => this.known.delete(key),
    );
    return loading;
  }

  private refuse(key: string): void {
    this.known.delete(key);
    this.refusedUntil.set(key, this.clock.monotonic() + 60_000);
  }

  private async compile(key: string, name: string, version: number): Promise<CompiledDefinition | null> {
    const source = await this.source.text(name, version);
    if (source === null) {
      this.logger.warn({ definition: key }, 'no such definition');
      return null;
    }
    const compiled = this.source.compile(source.text, version);
    if (!('faults' in compiled)) return compiled;
    this.logger.warn(
      { definition: key, faults: compiled.faults },
      'this definition is not understood by this executor',
    );
    return null;
  }
}
