import { expect, it } from 'vitest';
import { compiled } from '../decide/given.spec-helper.js';
import { checkInputs } from './input-schemas.js';

const text = `
inputs:
  token: { type: string, minLength: 8 }
  login: { type: object, properties: { user: { type: string }, password: { type: string } }, required: [user, password] }
operators:
  a: { type: set, value: 1 }
`;
const sealed = { $secret: { sealed: 'baton:1:k:w:d' } };

it('a sealed value that is passed on to a child fits any schema; what stands beside it is checked', () => {
  const definition = compiled(text);
  const inputs = { token: sealed, login: { user: 'u', password: sealed } };
  expect(checkInputs(definition, inputs)).toEqual({ inputs });
  expect(checkInputs(definition, { token: sealed, login: { user: 1, password: sealed } })).toEqual({
    errors: [{ path: 'inputs.login.user', message: 'must be string' }],
  });
  expect(checkInputs(definition, { token: { $secret: 'NAME' }, login: sealed })).toMatchObject({
    errors: [{ path: 'inputs.token' }],
  });
});
