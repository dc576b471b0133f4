import { expect, test } from 'vitest';
import { restOperations, roles } from '../index.js';
import { openApiDocument } from './openapi-document.js';

const document = openApiDocument('1');
const text = `${JSON.stringify(document, null, 2)}\n`;

test('the committed OpenAPI document is the one that the code describes', async () => {
  // Stale: `npx vitest run libs/contracts -u` writes it again.
  await expect(text).toMatchFileSnapshot('../../../../docs/reference/openapi.json');
});

test('every reference in the OpenAPI document leads somewhere', () => {
  const schemas = Object.keys((document.components as { schemas: object }).schemas);
  const referenced = [...text.matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)].map((match) => match[1]!);
  expect(referenced.length).toBeGreaterThan(50);
  expect(referenced.filter((name) => !schemas.includes(name))).toEqual([]);
});

test('every path parameter of an operation is described, and every operation states its role', () => {
  for (const [name, operation] of Object.entries(restOperations)) {
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const described = 'params' in operation ? Object.keys(operation.params.shape) : [];
    expect(described, name).toEqual(inPath);
    expect([...roles, 'public'], name).toContain(operation.role);
  }
});
