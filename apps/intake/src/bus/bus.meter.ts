import type { Meter } from '@baton/bus';
import type { Metrics } from '@baton/telemetry';

/** Instruments are made at their first use. */
export function busMeter({ meter }: Pick<Metrics, 'meter'>): Meter {
  const counters = new Map<string, ReturnType<Metrics['meter']['createCounter']>>();
  const histograms = new Map<string, ReturnType<Metrics['meter']['createHistogram']>>();
  return {
    count(name, value = 1, attributes = {}) {
      const counter = counters.get(name) ?? meter.createCounter(name);
      counters.set(name, counter);
      counter.add(value, attributes);
    },
    record(name, value, attributes = {}) {
      const histogram = histograms.get(name) ?? meter.createHistogram(name);
      histograms.set(name, histogram);
      histogram.record(value, attributes);
    },
  };
}
