import { healthSchema } from './health.schemas.js';
import type { RestOperation } from './operation.types.js';
import { eventSchemaParams } from './topics.schemas.js';

/** Outside `/v1`, and without a token: how the service is, and what it speaks. */
export const publicOperations = {
  healthLive: {
    method: 'get',
    path: '/health/live',
    role: 'public',
    tag: 'health',
    summary: 'Whether the service runs',
    answers: { 200: { schema: healthSchema, description: 'It does' } },
  },
  healthReady: {
    method: 'get',
    path: '/health/ready',
    role: 'public',
    tag: 'health',
    summary: 'Whether it can take work',
    answers: { 200: { schema: healthSchema, description: 'It can' } },
    problems: [503],
  },
  metrics: {
    method: 'get',
    path: '/metrics',
    role: 'public',
    tag: 'health',
    summary: 'Metrics for Prometheus; numbers only',
    answers: { 200: { schema: null, description: 'Text', mediaType: 'text/plain' } },
  },
  openapi: {
    method: 'get',
    path: '/openapi.json',
    role: 'public',
    tag: 'health',
    summary: 'This document',
    answers: { 200: { schema: null, description: 'OpenAPI 3.1', mediaType: 'application/json' } },
  },
  asyncapi: {
    method: 'get',
    path: '/asyncapi.json',
    role: 'public',
    tag: 'topics',
    summary: 'The topics of Kafka: their events, keys, headers and promises',
    answers: { 200: { schema: null, description: 'AsyncAPI 3.0', mediaType: 'application/json' } },
  },
  eventSchema: {
    method: 'get',
    path: '/schemas/{schema}',
    role: 'public',
    tag: 'topics',
    summary: "The JSON Schema of an event's data",
    params: eventSchemaParams,
    answers: { 200: { schema: null, description: 'JSON Schema 2020-12', mediaType: 'application/json' } },
    problems: [404],
  },
} as const satisfies Record<string, RestOperation>;
