import { Environment } from '@marcbachmann/cel-js';
import { celFunctions } from './function-list.js';
import { RegexNamespace, regexTypeName } from './regex.functions.js';

const limits = { maxAstNodes: 2_000, maxDepth: 60, maxListElements: 1_000, maxMapEntries: 1_000 };

/** Mixed arithmetic: integers and doubles calculate with each other, as JSON numbers do. */
const mixedOperators: readonly [string, (left: number, right: number) => number | boolean][] = [
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
  ['%', (left, right) => left % right],
];

function extend(environment: Environment): Environment {
  for (const [operator, calculate] of mixedOperators) {
    const mixed = (left: bigint | number, right: bigint | number) => calculate(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double`, mixed);
    environment.registerOperator(`double ${operator} int`, mixed);
  }
  environment.registerOperator('double % double', (left: number, right: number) => left % right);
  environment.registerOperator('int == double', (left: bigint, right: number) => Number(left) === right);
  environment.registerType(regexTypeName, RegexNamespace);
  environment.registerConstant('regex', regexTypeName, new RegexNamespace());
  for (const { signatures, handler } of celFunctions)
    for (const signature of signatures) environment.registerFunction(signature, handler);
  return environment;
}

/** Evaluates: names are found or not found at run time, every value has its own type. */
export const evaluationEnvironment = extend(
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, limits }),
);

const checkingEnvironment = extend(
  new Environment({ unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false, limits }),
);

/** Checks types at publish: a copy in which the variables of one definition are declared. */
export function newCheckingEnvironment(): Environment {
  return checkingEnvironment.clone();
}
