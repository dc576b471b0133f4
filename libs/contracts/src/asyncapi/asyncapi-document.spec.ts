import { Parser } from '@asyncapi/parser';
import { expect, it } from 'vitest';
import { cloudEventType, publicEvents } from '../index.js';
import { asyncApiDocument } from './asyncapi-document.js';

const document = asyncApiDocument({ version: '1' });
const text = `${JSON.stringify(document, null, 2)}\n`;
const parser = new Parser();
const faults = async (candidate: object) =>
  (await parser.validate(JSON.stringify(candidate))).filter((one) => one.severity <= 1);

it('the committed AsyncAPI document is the one that the code describes', async () => {
  // Stale: `npx vitest run libs/contracts -u` writes it again.
  await expect(text).toMatchFileSnapshot('../../../../docs/reference/asyncapi.json');
});

// The parser compiles every schema: seconds where nothing else runs, more where much does.
it('AsyncAPI 3.0 finds no fault in it', { timeout: 120_000 }, async () => {
  expect(await faults(document)).toEqual([]);
});

it('the validator is one that finds faults', { timeout: 120_000 }, async () => {
  const broken = structuredClone(document) as { channels: { process: { messages: object } } };
  broken.channels.process.messages = { Nothing: { $ref: '#/components/messages/Nothing' } };
  expect((await faults(broken)).map((one) => one.path.join('/')).join()).toContain('channels/process');
});

it('every event is a message of a topic, with its key described', { timeout: 120_000 }, async () => {
  const { document: parsed } = await parser.parse(text);
  const names =
    parsed
      ?.allMessages()
      .all()
      .map((message) => message.name()) ?? [];
  expect(names).toEqual(expect.arrayContaining(Object.keys(publicEvents).map((name) => cloudEventType(name))));
  const keyed =
    parsed
      ?.allMessages()
      .all()
      .filter((message) => message.bindings().has('kafka')) ?? [];
  expect(keyed.length).toBe(names.length);
});

it('the prefix of the topics stands in front of every address', () => {
  const { channels } = asyncApiDocument({ version: '1', prefix: 'shop.' }) as {
    channels: Record<string, { address: string }>;
  };
  expect(Object.values(channels).map(({ address }) => address)).toEqual([
    'shop.baton.process',
    'shop.baton.process.lifecycle',
    'shop.baton.cluster',
    'shop.baton.request',
    'shop.baton.dead-letter',
  ]);
});
