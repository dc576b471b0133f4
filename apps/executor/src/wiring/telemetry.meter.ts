import type { Counter, Histogram, Metrics } from '@baton/telemetry';
import type { Meter } from '../executor.ports.js';

/** Instruments are made at their first use. */
export function meterOver(meter: Metrics['meter']): Meter {
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  return {
    count(name, value = 1, attributes = {}) {
      const counter = counters.get(name) ?? meter.createCounter(name);
      counters.set(name, counter);
      counter.add(value, attributes);
    },
    record(name, value, attributes = {}) {
      const histogram = histograms.get(name) ?? meter.createHistogram(name, { unit: 's' });
      histograms.set(name, histogram);
      histogram.record(value, attributes);
    },
  };
}
