import { isMetricName, type MetricDescription, metricList, prometheusNames } from '@baton/telemetry';

/** Series by name, with the labels that they may have. */
const series = new Map<string, ReadonlySet<string>>();
for (const name of Object.keys(metricList).filter(isMetricName)) {
  const { kind, attributes = [] }: MetricDescription = metricList[name];
  const labels = attributes.map((attribute) => attribute.replaceAll(/[^A-Za-z0-9_]/g, '_'));
  for (const one of prometheusNames(name))
    series.set(one, new Set([...labels, ...(kind === 'histogram' ? ['le'] : []), 'job', 'instance']));
}

/** What an expression of PromQL names that Baton does not measure; empty: it is sound. */
export function faultsOf(expression: string): string[] {
  const faults: string[] = [];
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  const used: string[] = [];
  for (const [, name = '', selector] of bare.matchAll(/\b([a-z_:][a-z0-9_:]*)(?:\{([^}]*)\})?/gi)) {
    if (!/^(baton|http|process|otel|up$)/.test(name) || isLabelList(bare, name)) continue;
    const labels = series.get(name);
    if (labels === undefined) {
      faults.push(`${name} is no series of Baton`);
      continue;
    }
    used.push(name);
    for (const [, label = ''] of (selector ?? '').matchAll(/([a-z_][a-z0-9_]*)\s*(?:=~|!~|!=|=)/gi))
      if (!labels.has(label)) faults.push(`${name} has no label ${label}`);
  }
  if (used.length === 0) faults.push(`"${expression}" asks for nothing that Baton measures`);
  for (const [, list = ''] of bare.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g))
    for (const label of list.split(',').map((text) => text.trim()))
      if (!used.some((name) => series.get(name)?.has(label))) faults.push(`no series has the label ${label}`);
  return faults;
}

/** A label in `by (…)` looks like a series. */
function isLabelList(expression: string, name: string): boolean {
  if (series.has(name)) return false;
  const lists = [...expression.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].map(([, list = '']) => list);
  const elsewhere = expression.replaceAll(/\b(?:by|without)\s*\([^)]*\)/g, '').replaceAll(/\{[^}]*\}/g, '');
  return lists.some((list) => list.includes(name)) && !new RegExp(`\\b${name}\\b`).test(elsewhere);
}
