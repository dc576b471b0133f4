import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtInOperators, type EffectResult, type OperatorDescriptor } from '@baton/process';
import { AddressGuard, type Lookup, parseAllowedAddresses } from '@baton/security';
import { z } from 'zod';
import { runHttp } from '../http/http.operator.js';
import type { EffectContext, OperatorType } from '../operator.port.js';
import { type PublishTargets, runPublish } from '../publish/publish.operator.js';
import { parseScriptPermission, type ScriptPermission } from '../script/script.fields.js';
import { runScript } from '../script/script.operator.js';
import { runSql } from '../sql/sql.operator.js';
import { TargetPools } from '../sql/target.pool.js';
import { defineOperator, InvalidOperatorModule, operatorsOf } from './operator.module.js';

export interface OperatorOptions {
  /** CIDRs that `http` may reach beside the public ones (BATON_ALLOW_ADDRESSES). */
  allowAddresses?: readonly string[];
  /** BATON_ALLOW_SCRIPT. */
  allowScript?: ScriptPermission;
  /** A module with the user's own types (BATON_OPERATORS). */
  module?: string;
  /** Tests resolve names themselves. */
  lookup?: Lookup;
  /** The Kafkas that `publish` writes to; without it there is none. */
  kafka?: PublishTargets;
}

type Run = (context: EffectContext) => Promise<EffectResult>;

/** The effects that Baton brings, and those of the user's own. One line each; no switch elsewhere grows. */
export class OperatorRegistry {
  private readonly types = new Map<string, OperatorType>();
  private readonly pools = new TargetPools();
  readonly guard: AddressGuard;

  constructor(options: Omit<OperatorOptions, 'module'> = {}, own: readonly OperatorType[] = []) {
    this.guard = new AddressGuard(options.allowAddresses);
    this.add('http', (context) => runHttp(context, { guard: this.guard, lookup: options.lookup }));
    this.add('sql', (context) => runSql(context, { pools: this.pools }));
    this.add('script', (context) => runScript(context, { allow: options.allowScript ?? false }));
    const kafka = options.kafka ?? { producer: () => null };
    this.add('publish', (context) => runPublish(context, kafka));
    for (const operator of own) this.types.set(operator.descriptor.type, operator);
  }

  get(type: string): OperatorType | undefined {
    return this.types.get(type);
  }

  /** What the executor can run, for its announcement. */
  names(): string[] {
    return [...this.types.keys()].sort();
  }

  /** Ends the connections to the targets. */
  async close(): Promise<void> {
    await this.pools.end();
  }

  private add(type: string, run: Run): void {
    const descriptor = builtInOperators.find((candidate) => candidate.type === type);
    if (!descriptor) throw new Error(`No descriptor for the operator type ${type}`);
    this.types.set(type, { descriptor, run });
  }
}

/** For the executor: everything that can be run. Throws InvalidOperatorModule with every fault of the user's module. */
export async function loadOperators(options: OperatorOptions = {}): Promise<OperatorRegistry> {
  return new OperatorRegistry(options, options.module ? await loadOperatorModule(options.module) : []);
}

/** For intake, which publishes but does not run. */
export async function loadDescriptors(module: string | undefined): Promise<OperatorDescriptor[]> {
  return module ? (await loadOperatorModule(module)).map((operator) => operator.descriptor) : [];
}

/** A file (relative to the working directory) or a package. */
export async function loadOperatorModule(module: string): Promise<OperatorType[]> {
  const isFile = module.startsWith('.') || isAbsolute(module) || /\.[cm]?js$/.test(module);
  let loaded: { operators?: unknown; default?: unknown };
  try {
    // A variable keeps the bundler from looking for it.
    const specifier = isFile ? pathToFileURL(resolve(module)).href : module;
    loaded = (await import(/* webpackIgnore: true */ specifier)) as typeof loaded;
  } catch (error) {
    throw new InvalidOperatorModule(module, [
      `it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  const builtIn = builtInOperators.map((descriptor) => descriptor.type);
  return operatorsOf(module, loaded, builtIn, { z, defineOperator });
}

/** From the environment (design 9): every fault named at the start. */
export function operatorOptionsFrom(environment: Record<string, string | undefined>): OperatorOptions {
  return {
    allowAddresses: parseAllowedAddresses(environment['BATON_ALLOW_ADDRESSES']),
    allowScript: parseScriptPermission(environment['BATON_ALLOW_SCRIPT']),
    module: environment['BATON_OPERATORS']?.trim() || undefined,
  };
}
