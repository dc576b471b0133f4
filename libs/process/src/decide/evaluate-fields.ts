import type { EffectToBegin } from './decision.types.js';
import { operatorFacts } from './expression-scope.js';
import type { Unit } from './plan.js';
import { attempting, type Step } from './step.js';

/** The type's own fields, filled in. In an undo or a verification `output` is the output of what is undone or verified. */
export function evaluateFields(step: Step, unit: Unit, attempt = step.operator(unit).attempt + 1) {
  const operator = step.operator(unit);
  const extra = {
    operator: operatorFacts(step.state, unit.path, operator, attempt),
    ...(unit.kind === 'compensate' || unit.kind === 'verify'
      ? { output: step.state.operators.get(unit.path.slice(0, unit.path.lastIndexOf('/')))?.output ?? null }
      : {}),
    ...(unit.op.repeat === undefined ? {} : { iteration: operator.iteration, previous: operator.previous ?? null }),
  };
  return attempting(() => {
    const fields: EffectToBegin['fields'] = {};
    for (const name in unit.op.fields) {
      const template = unit.op.fields[name];
      if (template !== undefined) fields[name] = step.evaluate(template, unit.path, extra);
    }
    return fields;
  });
}
