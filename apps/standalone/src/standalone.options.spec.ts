import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from './standalone.options.js';

describe('the options of baton up', () => {
  it('are the embedded bus unless a broker is asked for; the command line counts more than the environment', () => {
    expect(parseOptions([], {}).kafka).toBeNull();
    expect(parseOptions(['--kafka'], { KAFKA_BROKERS: 'one:9092' }).kafka).toBe('local');
    expect(parseOptions([], { KAFKA_BROKERS: 'one:9092, two:9092' }).kafka).toEqual({ brokers: 'one:9092,two:9092' });
    expect(parseOptions(['--brokers', 'three:9'], { KAFKA_BROKERS: 'one:9092' }).kafka).toEqual({ brokers: 'three:9' });
    expect(parseOptions([], { KAFKA_BROKERS: 'one:9092', BATON_BUS: 'embedded' }).kafka).toBeNull();
  });

  it.each([
    [['--kafka', '--brokers', 'one:9092'], /give one of them/],
    [['--brokers', 'kafka://one'], /"kafka:\/\/one" is no broker; give host:port/],
    [['--otlp', 'collector'], /--otlp: give a URL/],
    [['--kafak'], /kafak/],
  ])('say what is wrong: %s', (args, remedy) => {
    expect(() => parseOptions(args, {})).toThrow(UsageError);
    expect(() => parseOptions(args, {})).toThrow(remedy);
  });
});
