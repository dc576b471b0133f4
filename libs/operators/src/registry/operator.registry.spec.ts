import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInOperators } from '@baton/process';
import { afterAll, describe, expect, it } from 'vitest';
import { effectContext } from '../shared/effect.fixture.js';
import {
  loadDescriptors,
  loadOperatorModule,
  loadOperators,
  OperatorRegistry,
  operatorOptionsFrom,
} from './operator.registry.js';

const directory = mkdtempSync(join(tmpdir(), 'baton-operators-spec-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const moduleOf = (text: string): string => {
  const file = join(directory, `module-${++files}.mjs`);
  writeFileSync(file, text);
  return file;
};

describe('the registry of operators', () => {
  it('runs every effect that a definition may name', () => {
    const registry = new OperatorRegistry();
    const effects = builtInOperators
      .filter((descriptor) => descriptor.class === 'effect')
      .map((descriptor) => descriptor.type);
    expect(registry.names()).toEqual(effects.sort());
    expect(registry.get('fax')).toBeUndefined();
  });

  it('takes its options from the environment, and names what is wrong', () => {
    expect(
      operatorOptionsFrom({ BATON_ALLOW_ADDRESSES: '127.0.0.1/32', BATON_ALLOW_SCRIPT: 'on', BATON_OPERATORS: ' ' }),
    ).toEqual({
      allowAddresses: ['127.0.0.1/32'],
      allowScript: true,
      module: undefined,
    });
    expect(() => operatorOptionsFrom({ BATON_ALLOW_ADDRESSES: 'banana' })).toThrow('banana');
  });

  it("loads a user's module that needs no packages, and runs what it gives", async () => {
    const module = moduleOf(`export const operators = ({ z, defineOperator }) => [defineOperator({
      descriptor: { type: 'fax', class: 'effect', summary: 'Sends a fax.', fields: z.object({ to: z.string() }) },
      run: async (context) => { context.begin(); return { status: 'completed', output: { to: context.fields.to } }; },
    })];`);
    const registry = await loadOperators({ module });
    const context = effectContext({ to: '123' });
    expect(await registry.get('fax')?.run(context)).toEqual({ status: 'completed', output: { to: '123' } });
    expect(context.begun).toBe(1);
    expect((await loadDescriptors(module)).map((descriptor) => descriptor.type)).toEqual(['fax']);
    expect(registry.get('fax')?.descriptor.secretFields).toEqual([]);
  });

  it('names every fault of a module at once, with what to write instead', async () => {
    const module =
      moduleOf(`export default [{}, 7, { descriptor: { type: 'HTTP!', class: 'inline', fields: {}, secretFields: 1 }, run() {} },
      { descriptor: { type: 'http', class: 'effect', summary: 's', fields: {}, check: 1 } }]`);
    await expect(loadOperatorModule(module)).rejects.toThrow(
      /operators\[0\]: run is missing.*operators\[1\]: it is not an object.*operators\[2\] \(HTTP!\): descriptor\.type.*class must be "effect".*summary.*zod object.*secretFields.*operators\[3\] \(http\).*check must be a function.*Baton's own/s,
    );
  });

  it.each([
    ['export const other = 1', /exports no list/],
    ['export const operators = () => { throw new Error("no licence") }', /no licence/],
    ['syntax error', /cannot be loaded/],
    ['import "no-such-package-at-all"', /cannot be loaded.*no-such-package-at-all/],
  ])('refuses %j', async (text, message) => {
    await expect(loadOperatorModule(moduleOf(text))).rejects.toThrow(message);
  });

  it('says which module is missing', async () => {
    await expect(loadOperatorModule('./not-there.mjs')).rejects.toThrow('./not-there.mjs');
  });
});
