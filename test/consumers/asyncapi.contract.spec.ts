import { asyncApiDocument } from '@baton/contracts';
import { expect, it } from 'vitest';
import { AsyncApiContract } from './asyncapi.contract.js';

const document = JSON.parse(JSON.stringify(asyncApiDocument({ version: '1' })));
const contract = new AsyncApiContract(document);

it.each(contract.topics)('every example of the topic %s is that message and no other', (topic) => {
  const names = contract.messagesOf(topic);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names)
    for (const { headers, payload } of contract.examples(name))
      expect(contract.judge({ topic, key: headers['ce_subject'] ?? '', headers, value: payload })).toEqual({
        message: name,
      });
});

it('a message whose example breaks its schema is found', () => {
  const [example] = contract.examples('ExecutorLost');
  const record = { topic: 'baton.cluster', key: 'k', headers: example!.headers, value: { proof: 'hearsay' } };
  expect(contract.judge(record)).toHaveProperty('fault');
});
