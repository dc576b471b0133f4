import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMetricName, metricList } from '@baton/telemetry';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { faultsOf } from './promql.js';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'deploy/observability');

const dashboard = z.object({
  uid: z.string().regex(/^baton-/),
  title: z.string(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
});
const alerts = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Baton[A-Z]/),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const rules = alerts
  .parse(parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')))
  .groups.flatMap((group) => group.rules);
const dashboards = readdirSync(join(folder, 'dashboards')).map((file) => ({
  file,
  ...dashboard.parse(JSON.parse(readFileSync(join(folder, 'dashboards', file), 'utf8'))),
}));
const panels = dashboards.flatMap(({ file, panels: all }) =>
  all.map((panel) => ({ name: `${file}: ${panel.title}`, ...panel })),
);

describe('dashboards and alerts ask for what the code measures', () => {
  it.each(panels)('$name', ({ targets }) => {
    expect(targets.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it.each(rules)('alert $alert', ({ expr }) => {
    expect(faultsOf(expr)).toEqual([]);
  });

  it.each([
    ['sum(rate(baton_operators_total[5m]))', 'baton_operators_total is no series of Baton'],
    ['sum(rate(baton_operator_duration_total[5m]))', 'baton_operator_duration_total is no series of Baton'],
    ['max(baton_queue_depth{prio="9"})', 'baton_queue_depth has no label prio'],
    ['max by (duty) (baton_queue_depth)', 'no series has the label duty'],
    ['vector(1)', '"vector(1)" asks for nothing that Baton measures'],
  ])('a planted fault is found: %s', (expression, fault) => {
    expect(faultsOf(expression)).toContain(fault);
  });

  it('panels have ids of their own', () => {
    for (const { panels: all } of dashboards) expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('every alert is explained: what it means and what to do', () => {
    const page = readFileSync(join(root, 'docs/operations/observability.md'), 'utf8');
    const headings = new Set([...page.matchAll(/^###? (\w+)$/gm)].map(([, name]) => name));
    for (const { alert, annotations } of rules) {
      expect(headings.has(alert), alert).toBe(true);
      expect(annotations.runbook).toBe(`docs/operations/observability.md#${alert.toLowerCase()}`);
    }
  });
});

describe('the list of metrics is what the code measures', () => {
  const sources = ['apps', 'libs'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(spec|fixture|contract)\.ts$|metric\.list\.ts$/.test(file))
      .map((file) => readFileSync(join(root, top, file), 'utf8')),
  );
  const named = new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/\b(?:count|record|observe|measureWait)\(\s*'((?:baton|http)\.[a-z.-]+)'/g)].map(
        ([, name = '']) => name,
      ),
    ),
  );

  it('every name in the code is in it', () => {
    expect(named.size).toBeGreaterThan(20);
    expect([...named].filter((name) => !isMetricName(name))).toEqual([]);
  });

  it('every name in it is in the code', () => {
    expect(Object.keys(metricList).filter((name) => !named.has(name))).toEqual([]);
  });

  it('instruments are made in one place', () => {
    const makers = sources.filter((text) =>
      /\.create(Counter|Histogram|Gauge|ObservableGauge|UpDownCounter)\(/.test(text),
    );
    expect(makers).toHaveLength(1);
  });
});
