import { expect } from 'vitest';
import { type CompileOptions, compile } from './compile.js';
import type { CompiledDefinition, DefinitionFault } from './compiled.types.js';

/** For tests: a definition from YAML, whose head (`kind`, `name`) may be left out. */
export function compiled(yaml: string, options: Partial<CompileOptions> = {}): CompiledDefinition {
  const result = compile(withHead(yaml), { version: 1, ...options });
  if ('faults' in result) expect.fail(result.faults.map(describeFault).join('\n'));
  return result.definition;
}

export function faultsOf(yaml: string, options: Partial<CompileOptions> = {}): DefinitionFault[] {
  const result = compile(withHead(yaml), { version: 1, ...options });
  return 'faults' in result ? result.faults : result.warnings;
}

export function describeFault(fault: DefinitionFault): string {
  return `${fault.line}:${fault.column} ${fault.path}: ${fault.message} ${fault.remedy}`;
}

/** The head stands behind, so that the lines stay as they are written. */
function withHead(yaml: string): string {
  return /^kind:/m.test(yaml) ? yaml : `${yaml}\nkind: Process\nname: test/process\n`;
}
