import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const components = z.record(z.string(), z.unknown());
const pipeline = z.strictObject({
  receivers: z.array(z.string()).min(1),
  processors: z.array(z.string()),
  exporters: z.array(z.string()).min(1),
});
/** A collector refuses to start with a section that it does not know. */
const collector = z.strictObject({
  receivers: components,
  processors: components,
  exporters: components,
  extensions: components,
  service: z.strictObject({ extensions: z.array(z.string()), pipelines: z.record(z.string(), pipeline) }),
});
type Collector = z.infer<typeof collector>;

const text = readFileSync(resolve(import.meta.dirname, '../../deploy/observability/otel-collector.yaml'), 'utf8');
const config = collector.parse(parse(text));

/** Used and not configured, which the collector refuses, or configured and not used, which does nothing. */
function faultsOf({ service, ...defined }: Collector): string[] {
  const pipelines = Object.values(service.pipelines);
  const used = {
    receivers: pipelines.flatMap(({ receivers }) => receivers),
    processors: pipelines.flatMap(({ processors }) => processors),
    exporters: pipelines.flatMap(({ exporters }) => exporters),
    extensions: service.extensions,
  };
  return (['receivers', 'processors', 'exporters', 'extensions'] as const).flatMap((kind) => {
    const there = Object.keys(defined[kind]);
    return [
      ...used[kind].filter((name) => !there.includes(name)).map((name) => `${kind}: ${name} is not configured`),
      ...there.filter((name) => !used[kind].includes(name)).map((name) => `${kind}: ${name} is not used`),
    ];
  });
}

describe('the configuration of the collector', () => {
  it('uses what it configures, and configures what it uses', () => {
    expect(faultsOf(config)).toEqual([]);
  });

  it('a planted fault is found', () => {
    const planted = structuredClone(config);
    planted.service.pipelines['traces']?.exporters.push('otlphttp/elsewhere');
    planted.processors['attributes'] = {};
    expect(faultsOf(planted)).toEqual([
      'processors: attributes is not used',
      'exporters: otlphttp/elsewhere is not configured',
    ]);
  });

  it('has a pipeline for each signal that Baton sends, from the port that the documentation names', () => {
    expect(Object.keys(config.service.pipelines).sort()).toEqual(['metrics', 'traces']);
    for (const { receivers } of Object.values(config.service.pipelines)) expect(receivers).toEqual(['otlp']);
    const { endpoint } = z
      .object({ protocols: z.object({ http: z.object({ endpoint: z.string() }) }) })
      .parse(config.receivers['otlp']).protocols.http;
    expect(endpoint).toMatch(/:4318$/);
  });

  it('keeps spans that it has acknowledged on disk, in a store that is switched on', () => {
    const { storage } = z
      .object({ sending_queue: z.object({ enabled: z.literal(true), storage: z.string() }) })
      .parse(config.exporters['otlphttp/traces']).sending_queue;
    expect(config.service.extensions).toContain(storage);
  });
});
