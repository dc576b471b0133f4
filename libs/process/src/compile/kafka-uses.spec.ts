import { expect, it } from 'vitest';
import { compiled } from './compile.fixture.js';
import { kafkaUses } from './kafka-uses.js';

it('every operator that needs Kafka is found, wherever it stands, with the topics that must be read', () => {
  const definition = compiled(`
inputs: { days: { type: string } }
operators:
  tell: { type: publish, topic: orders, value: 1, recovery: verify, verify: { type: receive, topic: echoes, key: x, outcomes: { happened: output == 1, not-happened: else } } }
  own: { type: publish, topic: orders, connection: k, value: 1, recovery: rerun, compensate: { type: publish, topic: orders, recovery: rerun } }
  wait: { type: receive, message: m }
  all:
    type: group
    operators:
      heard: { type: receive, topic: payments, keep: 2h, forEach: [1, 2] }
      later: { type: receive, topic: payments, keep: "\${{ inputs.days }}" }
finally:
  bye: { type: publish, topic: orders, value: 2, recovery: rerun }
`);
  expect(kafkaUses(definition)).toEqual([
    { path: 'operators.tell', type: 'publish', ofCluster: true },
    { path: 'operators.tell.verify', type: 'receive', ofCluster: true, topic: 'echoes' },
    { path: 'operators.own', type: 'publish', ofCluster: false },
    { path: 'operators.own.compensate', type: 'publish', ofCluster: true },
    { path: 'operators.all.operators.heard', type: 'receive', ofCluster: true, topic: 'payments', keepMs: 7_200_000 },
    { path: 'operators.all.operators.later', type: 'receive', ofCluster: true, topic: 'payments' },
    { path: 'finally.bye', type: 'publish', ofCluster: true },
  ]);
});
