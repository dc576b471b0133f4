import { type DefinitionText, type Path, pathText } from '../definition/definition-text.js';
import type { DefinitionFault } from './compiled.types.js';

/** Collects every fault of a definition, each with its place. */
export class FaultList {
  readonly #faults: DefinitionFault[] = [];
  readonly #seen = new Set<string>();

  constructor(private readonly text: DefinitionText) {}

  error(path: Path, message: string, remedy: string, part: 'key' | 'value' = 'value'): void {
    this.#add('error', path, message, remedy, part);
  }

  warning(path: Path, message: string, remedy: string, part: 'key' | 'value' = 'value'): void {
    this.#add('warning', path, message, remedy, part);
  }

  #add(severity: 'error' | 'warning', path: Path, message: string, remedy: string, part: 'key' | 'value'): void {
    const place = pathText(path);
    const key = `${place}\n${message}`;
    if (this.#seen.has(key)) return; // an anchor used twice has its fault once per place, not per look at it
    this.#seen.add(key);
    this.#faults.push({ path: place, ...this.text.locate(path, part), message, remedy, severity });
  }

  get errors(): DefinitionFault[] {
    return this.#sorted('error');
  }

  get warnings(): DefinitionFault[] {
    return this.#sorted('warning');
  }

  #sorted(severity: DefinitionFault['severity']): DefinitionFault[] {
    return this.#faults
      .filter((fault) => fault.severity === severity)
      .sort((a, b) => a.line - b.line || a.column - b.column);
  }
}
