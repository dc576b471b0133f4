import { expect, test } from 'vitest';
import type { In } from '../http/operation.decorator.js';
import { ProblemError } from '../http/problem.error.js';
import type { IntakeServices } from '../intake.services.js';
import { TopicsController } from './topics.controller.js';

const topics = new TopicsController({ topicPrefix: 'shop.' } as IntakeServices);
const schema = (name: string) => topics.schema({ params: { schema: name } } as In<'eventSchema'>);

test('the AsyncAPI document names the topics as they are called here, with their prefix', () => {
  expect(topics.asyncapi()).toMatchObject({
    asyncapi: '3.0.0',
    channels: { process: { address: 'shop.baton.process' } },
  });
});

test('each event has its schema, with and without .json; of another the nearest is named', () => {
  const $id = '/schemas/baton.process.requested.v1.json';
  expect(schema('baton.process.requested.v1.json')).toMatchObject({ $id });
  expect(schema('baton.process.requested.v1')).toMatchObject({ $id });
  expect(() => schema('baton.process.requestet.v1.json')).toThrow(ProblemError);
});
