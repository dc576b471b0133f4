import type { FieldError } from '@baton/contracts';
import type { checkInputs } from '@baton/process';
import type { InputCheck } from './request.checker.js';

/** The core's check of inputs, its places turned into JSON Pointers of the request's body. */
export function inputErrors(check: typeof checkInputs): InputCheck {
  return (definition, inputs) => {
    const result = check(definition, inputs);
    if ('inputs' in result) return result;
    return { errors: result.errors.map(({ path, message }): FieldError => ({ path: pointerOf(path), message })) };
  };
}

/** `inputs.hosts[0].name` is `/inputs/hosts/0/name`. */
function pointerOf(path: string): string {
  return `/${path
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map(escaped)
    .join('/')}`;
}

function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
