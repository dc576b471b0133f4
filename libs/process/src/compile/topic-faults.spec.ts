import { expect, it } from 'vitest';
import { describeFault, faultsOf } from './compile.fixture.js';

/** Text, line of the fault, what it says, what its remedy says: of what publishes to a topic or receives from one. */
const cases: [string, string, number, RegExp, RegExp][] = [
  [
    'a receive of a message and a topic',
    'operators:\n  a: { type: receive, message: m, topic: t }\n',
    2,
    /`message` and `topic` cannot stand together/,
    /two operators/,
  ],
  [
    'a receive of nothing',
    'operators:\n  a: { type: receive, key: k }\n',
    2,
    /neither `message` nor `topic`/,
    /topic: NAME/,
  ],
  [
    'a receive of a topic that is known only at run time',
    'operators:\n  a: { type: receive, topic: "x-${{ process.id }}" }\n',
    2,
    /known only when the process runs/,
    /Write its name out/,
  ],
  [
    'a match without a topic',
    'operators:\n  a: { type: receive, message: m, match: "true" }\n',
    2,
    /`match` belongs to `topic`/,
    /Remove it/,
  ],
  [
    'a match with braces',
    'operators:\n  a: { type: receive, topic: t, match: "${{ record.key == null }}" }\n',
    2,
    /takes no \$\{\{ \}\}/,
    /Write it bare/,
  ],
  [
    'a match that is no condition',
    'operators:\n  a: { type: receive, topic: t, match: "1 + 1" }\n',
    2,
    /true or false is needed/,
    /Compare it/,
  ],
  [
    'a match that reads what is not there',
    'inputs: { order: { type: string } }\noperators:\n  a: { type: receive, topic: t, match: "record.value == inputs.ordre" }\n',
    3,
    /no input "ordre"/,
    /order/,
  ],
  [
    'a record outside of a match',
    'operators:\n  a: { type: receive, topic: t, key: "${{ record.key }}" }\n',
    2,
    /nothing named "record"/,
    /sees/,
  ],
  [
    'a publish that says nothing of its recovery',
    'operators:\n  a: { type: publish, topic: t, value: 1 }\n',
    2,
    /whether this publish happened/,
    /recovery: rerun/,
  ],
  [
    'a publish to what cannot be a topic',
    'operators:\n  a: { type: publish, topic: "a topic", value: 1, recovery: rerun }\n',
    2,
    /cannot be the name of a topic/,
    /249/,
  ],
  [
    'a publish with a header of Baton itself',
    'operators:\n  a: { type: publish, topic: t, headers: { Idempotency-Key: x }, recovery: rerun }\n',
    2,
    /set by Baton itself/,
    /another name/,
  ],
];

it.each(cases)('%s is reported with its line and a remedy', (_, text, line, message, remedy) => {
  const faults = faultsOf(text).filter(({ severity }) => severity === 'error');
  const found = faults.find((fault) => message.test(fault.message));
  expect(found, faults.map(describeFault).join('\n')).toBeDefined();
  expect([found?.line, found?.remedy]).toEqual([line, expect.stringMatching(remedy)]);
  expect(found?.column).toBeGreaterThan(0);
});
