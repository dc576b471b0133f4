import type { Counter, Histogram, Meter as OtelMeter } from '@baton/telemetry';
import type { Meter } from './scheduler.ports.js';

/** Counters and histograms by name, made when they are first used. Durations are in seconds. */
export function meterOver(meter: OtelMeter): Meter {
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
