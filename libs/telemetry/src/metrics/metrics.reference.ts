import { isMetricName, type MetricDescription, metricList, prometheusNames } from './metric.list.js';

/** docs/reference/metrics.md: made from the list, so that it says what the code measures. */
export function metricsReference(): string {
  const rows = Object.keys(metricList)
    .filter(isMetricName)
    .toSorted()
    .map((name) => {
      const { kind, unit, services, meaning, attributes = [] }: MetricDescription = metricList[name];
      const shown = attributes.map((attribute) => `\`${attribute}\``).join(', ') || '–';
      const series = prometheusNames(name)[0]?.replace(/_bucket$/, '_{bucket,count,sum}');
      return `| \`${name}\` | ${kind} | \`${unit}\` | ${shown} | ${services.join(', ')} | ${meaning} | \`${series}\` |`;
    });
  return `# Metrics

Each service has its own at \`/metrics\` (Prometheus), and pushes them over OTLP when \`OTEL_EXPORTER_OTLP_ENDPOINT\` is set
(\`OTEL_METRICS_EXPORTER=none\` or \`prometheus\` keeps them at home). Names as they are in OTLP; the last column is what
\`/metrics\` calls the series. Attributes are bounded: never an id. Gauges of the cluster (queue, executors, lags, processes)
are told alike by every scheduler or intake: take the largest, not the sum.

Made from \`libs/telemetry/src/metrics/metric.list.ts\`; a test keeps it so. How to use them:
[observability](../operations/observability.md).

| metric | kind | unit | attributes | service | meaning | at \`/metrics\` |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
