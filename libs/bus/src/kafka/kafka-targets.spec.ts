import { describe, expect, it } from 'vitest';
import { silentLogger } from '../contract/bus-log.fixture.js';
import { KafkaTargets, kafkaOf } from './kafka-targets.js';

describe('the URL of a Kafka connection', () => {
  it.each([
    ['kafka://h:9092', { brokers: 'h:9092', clientId: 'c' }],
    ['kafkas://a:1,b:2/', { brokers: 'a:1,b:2', clientId: 'c', tls: {} }],
    [
      'kafkas://ann:p%40ss@a:1?mechanism=scram-sha-256',
      {
        brokers: 'a:1',
        clientId: 'c',
        tls: {},
        sasl: { mechanism: 'scram-sha-256', username: 'ann', password: 'p@ss' },
      },
    ],
    [
      'kafka://ann:x@[::1]:9092',
      { brokers: '[::1]:9092', clientId: 'c', sasl: { mechanism: 'plain', username: 'ann', password: 'x' } },
    ],
  ])('%s is read', (url, connection) => {
    expect(kafkaOf(url, 'c')).toEqual(connection);
  });

  it.each([
    ['postgres://u:hunter2@h/d', /none of a Kafka/],
    ['kafka://u:hunter2@h', /none of a Kafka/],
    ['kafka://u:hunter2@h:1?tls=true', /"tls"/],
    ['kafka://u:hunter2@h:1?mechanism=md5', /"md5".*plain, scram/],
  ])('%s is refused, and its password is not told', (url, message) => {
    let text = '';
    try {
      kafkaOf(url, 'c');
    } catch (error) {
      text = String(error);
    }
    expect(text).toMatch(message);
    expect(text).not.toContain('hunter2');
  });
});

it('without a Kafka of its own there is no producer but for connections', async () => {
  const targets = new KafkaTargets({ cluster: null, clientId: 'c', logger: silentLogger });
  expect(targets.producer()).toBeNull();
  expect(targets.producer('kafka://h:9092')).not.toBeNull();
  await targets.close();
});
