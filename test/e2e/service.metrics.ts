import type { StandaloneProcess } from './standalone.process.js';

/** Where a service of `baton up` serves its metrics: what it said in its log when it became ready, the last time. */
function portOf(baton: StandaloneProcess, service: string): number {
  const said = baton
    .log(service)
    .split('\n')
    .filter((line) => line.includes(' is ready'))
    .map((line) => /"port":(\d+)/.exec(line)?.[1])
    .findLast((port) => port !== undefined);
  if (said === undefined) throw new Error(`${service} did not say where it listens`);
  return Number(said);
}

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** All series of a metric, over these services. */
export async function samplesOf(
  baton: StandaloneProcess,
  services: readonly string[],
  metric: string,
): Promise<Sample[]> {
  const texts = await Promise.all(
    services.map(async (service) => (await fetch(`http://127.0.0.1:${portOf(baton, service)}/metrics`)).text()),
  );
  return texts.flatMap((text) =>
    text.split('\n').flatMap((line) => {
      const [, name, labels = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
      if (name !== metric || value === undefined) return [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map((pair) => [pair[1], pair[2]]);
      return [{ labels: Object.fromEntries(pairs), value: Number(value) }];
    }),
  );
}
