import { kafkaMissing } from '@baton/testing';
import { describe, expect, it } from 'vitest';
import { textOf } from './outage.phases.js';
import { outage } from './outage.run.js';

const seed = Number(process.env['BATON_CHAOS_SEED'] ?? Date.now() % 1_000_000);
const minutes = Number(process.env['BATON_CHAOS_MINUTES'] ?? 3);
const perSecond = Number(process.env['BATON_CHAOS_RATE'] ?? 2);
const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: outages of a real Kafka broker; ${missing}`);

describe.runIf(missing === null)('processes over Kafka, real services', () => {
  it(
    'go on and lose nothing while the broker is hung, dead and emptied, and its publisher killed and frozen (D1, D2, D7, D11)',
    async () => {
      const say = (line: string) => process.stdout.write(`outage: ${line}\n`);
      const report = await outage({ seed, awayMs: minutes * 60_000, perSecond, say });
      const { log, broken, phases, readiness } = report;
      say(`seed ${seed}: the broker dead for ${minutes} min, ${perSecond} requests/s
${textOf(phases)}
  processes ${log.processes}, effects ${log.effects}, takeovers ${log.takeovers}, attempts repeated ${log.attemptsRepeated}
  events with the stranger ${report.events}, handled once by the inbox ${report.handled}`);
      expect(log.broken.slice(0, 20), `seed ${seed}`).toEqual([]);
      expect(broken.slice(0, 20), `seed ${seed}`).toEqual([]);
      for (const { name, ended, requested } of phases.slice(1)) {
        expect(requested, name).toBeGreaterThan(0);
        expect(ended, name).toBeGreaterThan(requested / 2);
      }
      const dead = phases.find(({ name }) => name === 'broker dead');
      expect(dead?.backlogPeak).toBeGreaterThan((dead?.recorded ?? 0) / 2);
      // Intake, two schedulers, two executors: degraded, not dead.
      expect(readiness.map(({ code }) => code)).toEqual([200, 200, 200, 200, 200]);
      expect(readiness.map(({ status }) => status)).toContain('degraded');
    },
    900_000 + 2 * minutes * 60_000,
  );
});
