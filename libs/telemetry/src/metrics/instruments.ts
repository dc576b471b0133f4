import type { Counter, Gauge, Histogram, Meter } from '@opentelemetry/api';
import { isMetricName, type MetricDescription, type MetricName, metricList } from './metric.list.js';

type Attributes = Record<string, string | number>;

/** The instruments of one service, made at their first use as the list describes them. */
export interface Instruments {
  count(name: string, value?: number, attributes?: Attributes): void;
  record(name: string, value: number, attributes?: Attributes): void;
  /** A gauge that is read when somebody asks; what it throws is told to `onError`, and the other figures stand. */
  observe(name: MetricName, read: (observe: (value: number, attributes?: Attributes) => void) => unknown): void;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const amounts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export class UnknownMetric extends Error {
  override name = 'UnknownMetric';
}

/** `strict` (in tests): a metric that is not in the list cannot be made. Elsewhere it is measured all the same. */
export function meterOver(
  meter: Meter,
  options: { strict?: boolean; onError?: (error: unknown) => void } = {},
): Instruments {
  const { strict = process.env['VITEST'] !== undefined, onError = () => undefined } = options;
  const counters = new Map<string, Counter>();
  const values = new Map<string, Histogram | Gauge>();
  const describe = (name: string, kind: MetricDescription['kind']): MetricDescription | undefined => {
    const known: MetricDescription | undefined = isMetricName(name) ? metricList[name] : undefined;
    if (strict && known === undefined)
      throw new UnknownMetric(`The metric ${name} is not in the list; add it to libs/telemetry (metric.list.ts).`);
    if (strict && (known?.kind === 'counter') !== (kind === 'counter'))
      throw new UnknownMetric(`The metric ${name} is a ${known?.kind} by the list, but it is used as a ${kind}.`);
    return known;
  };
  const made = (name: string): Histogram | Gauge => {
    const known = describe(name, 'histogram');
    const unit = known?.unit ?? 's';
    const about = { unit, ...(known === undefined ? {} : { description: known.meaning }) };
    if (known?.kind === 'gauge') return meter.createGauge(name, about);
    const explicitBucketBoundaries = unit === 's' ? seconds : amounts;
    return meter.createHistogram(name, { ...about, advice: { explicitBucketBoundaries } });
  };
  return {
    count(name, value = 1, attributes = {}) {
      let counter = counters.get(name);
      if (counter === undefined) {
        const known = describe(name, 'counter');
        counter = meter.createCounter(name, known && { unit: known.unit, description: known.meaning });
        counters.set(name, counter);
      }
      counter.add(value, attributes);
    },
    record(name, value, attributes = {}) {
      let instrument = values.get(name);
      if (instrument === undefined) {
        instrument = made(name);
        values.set(name, instrument);
      }
      instrument.record(value, attributes);
    },
    observe(name, read) {
      const known = describe(name, 'gauge');
      const gauge = meter.createObservableGauge(name, known && { unit: known.unit, description: known.meaning });
      gauge.addCallback(async (result) => {
        try {
          await read((value, attributes = {}) => result.observe(value, attributes));
        } catch (error) {
          onError(error);
        }
      });
    },
  };
}
