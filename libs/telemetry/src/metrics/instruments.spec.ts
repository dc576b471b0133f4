import { expect, it } from 'vitest';
import { meterOver, UnknownMetric } from './instruments.js';
import { isMetricName, metricList, prometheusNames } from './metric.list.js';
import { createMetrics } from './metrics.js';

it('makes every instrument as the list describes it, and Prometheus calls it as the list says', async () => {
  const metrics = createMetrics('executor', '1', {});
  const instruments = meterOver(metrics.meter);
  const names = Object.keys(metricList).filter(isMetricName);
  for (const name of names) {
    if (metricList[name].kind === 'counter') instruments.count(name, 1);
    else instruments.record(name, 1);
  }
  const text = await metrics.render();
  const series = new Set([...text.matchAll(/^([a-z_]+)[{ ]/gm)].map((match) => match[1]));
  for (const name of names)
    for (const wanted of prometheusNames(name)) expect(series.has(wanted), `${name}: ${wanted}`).toBe(true);
  for (const name of names) expect(text).toContain(metricList[name].meaning);
  await metrics.shutdown();
});

it('refuses a name that is not in the list, and a use that is not its kind', async () => {
  const metrics = createMetrics('executor', '1', {});
  const instruments = meterOver(metrics.meter, { strict: true });
  expect(() => instruments.count('baton.nobody.knows')).toThrow(UnknownMetric);
  expect(() => instruments.record('baton.append.commits', 1)).toThrow(/is a counter by the list/);
  const lenient = meterOver(metrics.meter, { strict: false });
  lenient.count('baton.nobody.knows');
  expect(await metrics.render()).toContain('baton_nobody_knows_total');
  await metrics.shutdown();
});

it('a gauge that cannot be read leaves the other figures', async () => {
  const told: unknown[] = [];
  const metrics = createMetrics('scheduler', '1', {});
  const instruments = meterOver(metrics.meter, { onError: (error) => told.push(error) });
  instruments.observe('baton.timer.lag', () => Promise.reject(new Error('away')));
  instruments.observe('baton.queue.depth', (observe) => observe(7, { priority: '5' }));
  expect(await metrics.render()).toMatch(/baton_queue_depth\{[^}]*priority="5"[^}]*\} 7/);
  expect(told).toEqual([new Error('away')]);
  await metrics.shutdown();
});
