import { z } from 'zod';
import { components, type JsonRecord, type JsonValue } from '../common.schemas.js';
import { problemSchema } from '../problems/problem.schemas.js';
import type { RestOperation } from '../rest/operation.types.js';
import { restOperations } from '../rest/rest-operations.js';

const always = [400, 500, 503];
const problemTexts: Record<number, string> = {
  400: 'The request cannot be read',
  401: 'Who asks is not known',
  403: 'Not allowed',
  404: 'Not found',
  409: 'That no longer fits',
  413: 'The body is too large',
  422: 'What was sent does not fit',
  500: 'Something went wrong',
  503: 'The database is out of reach: try again after Retry-After',
};

/** The OpenAPI 3.1 document of the REST API, made from the table of operations and their schemas. */
export function openApiDocument(version: string): JsonRecord {
  const paths: Record<string, JsonRecord> = {};
  for (const [name, operation] of Object.entries<RestOperation>(restOperations)) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method] = describeOperation(name, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Baton',
      version,
      description:
        'Highly available process automation. Roles: viewer, operator, author, admin; each may do what the one before it may.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An API token' } },
      schemas: componentSchemas(),
    },
  };
}

function describeOperation(name: string, operation: RestOperation): JsonRecord {
  const isPublic = operation.role === 'public';
  const described: JsonRecord = {
    operationId: name,
    tags: [operation.tag],
    summary: operation.summary,
    'x-baton-role': operation.role,
  };
  if (isPublic) described.security = [];
  const parameters = [
    ...parametersOf('path', operation.params),
    ...parametersOf('query', operation.query),
    ...parametersOf('header', operation.headers),
  ];
  if (parameters.length > 0) described.parameters = parameters;
  if (operation.body) {
    const schema = schemaOf(operation.body);
    const types = operation.bodyTypes ?? ['application/json'];
    described.requestBody = {
      required: operation.bodyOptional !== true,
      content: Object.fromEntries(types.map((type) => [type, { schema }])),
    };
  }
  described.responses = responsesOf(operation, isPublic);
  return described;
}

function responsesOf(operation: RestOperation, isPublic: boolean): JsonRecord {
  const responses: JsonRecord = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    const schema = answer.schema ? schemaOf(answer.schema) : {};
    const hasBody = answer.schema || answer.mediaType;
    responses[status] = {
      description: answer.description,
      ...(hasBody ? { content: { [answer.mediaType ?? 'application/json']: { schema } } } : {}),
    };
  }
  const problems = new Set([...always, ...(isPublic ? [] : [401, 403]), ...(operation.problems ?? [])]);
  for (const status of [...problems].toSorted((a, b) => a - b)) {
    responses[status] ??= {
      description: problemTexts[status] ?? 'A problem',
      content: { 'application/problem+json': { schema: schemaOf(problemSchema) } },
    };
  }
  return responses;
}

function parametersOf(place: 'path' | 'query' | 'header', fields: z.ZodObject | undefined): JsonRecord[] {
  return Object.entries(fields?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema);
    const required = place === 'path' || !isOptional(schema);
    return { name, in: place, required, ...(description ? { description } : {}), schema: rest };
  });
}

function isOptional(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
}

/** A component by reference, anything else in place. Bodies and answers are described as they go over the wire. */
function schemaOf(schema: z.core.$ZodType): JsonRecord {
  const named = components.get(schema as z.ZodType);
  if (named) return { $ref: `#/components/schemas/${named.id}` };
  if (schema instanceof z.ZodUnion) return { oneOf: schema.options.map((option) => schemaOf(option)) };
  return clean(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function componentSchemas(): JsonRecord {
  const { schemas } = z.toJSONSchema(components, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
  });
  const names = Object.keys(schemas).toSorted();
  return Object.fromEntries(names.map((name) => [name, clean(schemas[name]!)]));
}

function clean(schema: object): JsonRecord {
  const { $schema: _dialect, $id: _id, ...rest } = JSON.parse(JSON.stringify(schema)) as Record<string, JsonValue>;
  return rest;
}
