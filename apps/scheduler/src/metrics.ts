import type { Counter, Histogram, Meter as OtelMeter } from '@baton/telemetry';
import type { Meter } from './scheduler.ports.js';

const explicitBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

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
      const histogram =
        histograms.get(name) ?? meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries } });
      histograms.set(name, histogram);
      histogram.record(value, attributes);
    },
  };
}
