import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KnownTraces } from './known-traces.js';
import { ConfigError, loadConfig, onOff } from './load-config.js';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics/metrics.js';
import { attemptSpanId, processSpanId } from './trace/trace-context.js';

describe('configuration', () => {
  const schema = z.object({ DATABASE_URL: z.url(), PORT: z.coerce.number().int().default(0), BATON_NOTIFY: onOff });

  it('names every fault at once, each with its variable', () => {
    const attempt = () => loadConfig(schema, { PORT: 'many', BATON_NOTIFY: 'maybe', DATABASE_URL: '' });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/DATABASE_URL: is missing[\s\S]*PORT: [\s\S]*BATON_NOTIFY: /);
  });

  it('reads what is given', () => {
    expect(loadConfig(schema, { DATABASE_URL: 'postgres://h/d', BATON_NOTIFY: 'off' })).toEqual({
      DATABASE_URL: 'postgres://h/d',
      PORT: 0,
      BATON_NOTIFY: false,
    });
  });
});

it('a log line is one JSON object, masked before it is written', () => {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'intake',
    destination: { write: (line) => void lines.push(line) },
    mask: (line) => line.replaceAll('hunter2', '***'),
  });
  logger.info({ password: 'hunter2' }, 'hello');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', service: 'intake', msg: 'hello', password: '***' });
});

it('metrics are rendered as Prometheus text', async () => {
  const metrics = createMetrics('executor', '1');
  metrics.meter.createCounter('baton.takeovers').add(2, { outcome: 'done' });
  const text = await metrics.render();
  expect(text).toMatch(/baton_takeovers_total\{[^}]*outcome="done"[^}]*\} 2/);
  await metrics.shutdown();
});

it('a log line about a process leads to its trace, where that is known', () => {
  const lines: string[] = [];
  const traces = new KnownTraces(2);
  const traceId = 'a'.repeat(32);
  for (const process of ['c1-0', 'c1-1', 'c1-2']) traces.note(process, `00-${traceId}-${'b'.repeat(16)}-01`);
  const logger = createLogger({ service: 'executor', traces, destination: { write: (line) => void lines.push(line) } });
  logger.info({ process: 'c1-1' }, 'parked');
  logger.info({ process: 'c1-1', path: 'a', attempt: 2 }, 'threw');
  logger.info({ process: 'c1-0' }, 'forgotten: only so many are kept');
  logger.info({ process: 'c1-9' }, 'of another service');
  const written = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(written.map(({ trace_id, span_id }) => [trace_id, span_id])).toEqual([
    [traceId, processSpanId('c1-1')],
    [traceId, attemptSpanId('c1-1', 'a', 2)],
    [undefined, undefined],
    [undefined, undefined],
  ]);
});
