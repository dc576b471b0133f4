import type { Json, JsonObject } from '@baton/process';
import type { SeededRandom } from './seeded.random.js';

export interface RandomDefinition {
  name: string;
  source: JsonObject;
  /** Whether every run must come to the same end whatever fails around it. */
  sameEnd: 'whole' | 'status' | 'no';
}

/**
 * Random definitions of the whole language that a seed gives. The effects are of the type `work` (simulated.operators.ts);
 * what they answer depends on the definition alone, so that a run with faults must end like one without.
 */
export class RandomGraph {
  private count = 0;
  private readonly random: SeededRandom;
  private readonly children: RandomDefinition[] = [];
  private handled = true;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** The definition, and those of its children before it. */
  make(name: string, depth = 0): RandomDefinition[] {
    const { random } = this;
    this.handled = true;
    const mayFail = depth === 0 && random.chance(0.2);
    const operators = this.scope(random.between(1, depth === 0 ? 6 : 3), depth, mayFail);
    const source: JsonObject = { kind: 'Process', name, operators };
    if (random.chance(0.2)) source['finally'] = { tidy: { type: 'work', takes: 1, recovery: 'rerun' } };
    if (random.chance(0.3)) source['inputs'] = { n: { type: 'integer', default: random.between(0, 9) } };
    const sameEnd = this.handled ? 'whole' : 'status';
    const own: RandomDefinition = { name, source, sameEnd };
    return [...this.children.splice(0), own];
  }

  private scope(size: number, depth: number, mayFail: boolean): JsonObject {
    const operators: JsonObject = {};
    const names: { name: string; kind: string }[] = [];
    for (let index = 0; index < size; index += 1) {
      const name = `o${this.count++}`;
      const { kind, operator } = this.operator(depth, mayFail && index === size - 1);
      const after = this.links(names);
      if (after.length > 0) operator['after'] = after;
      if (after.length > 1) {
        const join = this.random.pick(['all', 'all', 'settled', 'any']);
        if (join !== 'all') operator['join'] = join;
      }
      operators[name] = operator;
      names.push({ name, kind });
      if (kind === 'failing') {
        const handler = `h${this.count++}`;
        operators[handler] = { type: 'set', value: 'handled', after: [`${name}.failed`] };
        names.push({ name: handler, kind: 'set' });
      }
    }
    return operators;
  }

  private links(names: readonly { name: string; kind: string }[]): string[] {
    if (names.length === 0 || this.random.chance(0.15)) return [];
    const links = new Set<string>();
    for (let n = this.random.between(1, Math.min(2, names.length)); n > 0; n -= 1) {
      const { name, kind } = this.random.pick(names);
      if (kind === 'failing') links.add(`${name}.any`);
      else if (kind === 'decision') links.add(this.random.pick([name, `${name}.yes`]));
      else if (kind === 'skipped') links.add(this.random.pick([name, `${name}.skipped`, `${name}.any`]));
      else links.add(this.random.pick([name, name, `${name}.any`]));
    }
    return [...links];
  }

  private operator(depth: number, fails: boolean): { kind: string; operator: JsonObject } {
    const { random } = this;
    if (fails) {
      this.handled = false;
      return { kind: 'fail', operator: { type: 'fail', message: 'as planned' } };
    }
    const kinds = ['work', 'work', 'work', 'work', 'delay', 'task', 'receive', 'set', 'decision', 'failing', 'skipped'];
    if (depth < 2) kinds.push('group', 'forEach', 'repeat', 'forEachGroup');
    if (depth === 0) kinds.push('process', 'process');
    const kind = random.pick(kinds);
    switch (kind) {
      case 'work':
        return { kind, operator: this.work() };
      case 'delay':
        return { kind, operator: { type: 'delay', for: `${random.between(1, 4000)}ms` } };
      case 'task':
        return {
          kind,
          operator: {
            type: 'user-task',
            assign: { roles: ['people'] },
            form: { type: 'object', properties: { go: { type: 'boolean' } }, required: ['go'] },
          },
        };
      case 'receive':
        return { kind, operator: { type: 'receive', message: 'news' } };
      case 'set':
        return { kind, operator: { type: 'set', value: { n: random.between(0, 99) } } };
      case 'decision':
        return {
          kind,
          operator: { type: 'decision', outcomes: { yes: random.chance(0.5) ? 'true' : 'false', no: 'else' } },
        };
      case 'failing':
        return {
          kind,
          operator: { ...this.work(), fails: 100, retry: { attempts: 2, backoff: { initial: '100ms' } } },
        };
      case 'skipped':
        return { kind, operator: { ...this.work(), when: random.chance(0.5) ? 'false' : 'true' } };
      case 'group':
        return { kind, operator: { type: 'group', operators: this.scope(random.between(1, 3), depth + 1, false) } };
      case 'forEach':
        return { kind, operator: { ...this.work(), forEach: this.forEach() } };
      case 'forEachGroup':
        return {
          kind,
          operator: {
            type: 'group',
            operators: this.scope(random.between(1, 2), 2, false),
            forEach: this.forEach(),
          },
        };
      case 'repeat':
        return {
          kind,
          operator: {
            ...this.work(),
            repeat: { until: `iteration >= ${random.between(1, 3)}`, max: 5, every: '200ms' },
          },
        };
      default: {
        const name = `default/child-${this.count++}`;
        const handled = this.handled;
        const child = new RandomGraph(random).make(name, 1);
        this.handled = handled;
        this.children.push(...child);
        return { kind: 'process', operator: { type: 'process', definition: name } };
      }
    }
  }

  private forEach(): Json {
    const { random } = this;
    const items = Array.from({ length: random.between(1, 4) }, (_, index) => `i${index}`);
    const loop: JsonObject = { in: items, as: 'thing' };
    if (random.chance(0.4)) loop['maxParallel'] = random.between(1, 2);
    if (random.chance(0.3)) loop['batches'] = [1, '50%', '100%'];
    if (random.chance(0.3)) loop['key'] = '${{ thing }}';
    return loop;
  }

  private work(): JsonObject {
    const { random } = this;
    const work: JsonObject = { type: 'work', takes: random.pick([0, 1, 20, 300, 2000]) };
    work['recovery'] = random.pick(['rerun', 'rerun', 'ask', 'verify']);
    if (work['recovery'] === 'verify')
      work['verify'] = {
        type: 'check-work',
        outcomes: { happened: 'output.happened', 'not-happened': 'else' },
      };
    if (random.chance(0.2)) {
      work['fails'] = random.between(1, 2);
      work['retry'] = { attempts: 9, backoff: { initial: `${random.between(1, 500)}ms` } };
    }
    if (random.chance(0.3)) work['compensate'] = { type: 'work', takes: 1, recovery: 'rerun' };
    return work;
  }
}
