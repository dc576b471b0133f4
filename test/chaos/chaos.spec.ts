import { describe, expect, it } from 'vitest';
import { chaos } from './chaos.run.js';

const seed = Number(process.env['BATON_CHAOS_SEED'] ?? Date.now() % 1_000_000);
const minutes = Number(process.env['BATON_CHAOS_MINUTES'] ?? 0);

describe('chaos over three executors, real processes', () => {
  it(
    'ends every accepted request once, as it should, whatever is killed, frozen or restarted',
    async () => {
      const report = await chaos({
        seed,
        processes: 1000,
        kills: 50,
        freezes: 20,
        restarts: 10,
        atLeastMs: minutes * 60_000,
        say: (line) => process.stdout.write(`chaos: ${line}\n`),
      });
      const { storm, calm } = report;
      const at = (share: number): string => {
        const ms = storm.takeoverTimes[Math.floor((storm.takeoverTimes.length - 1) * share)];
        return ms === undefined ? '–' : `${ms} ms`;
      };
      process.stdout.write(`chaos: seed ${seed}
  processes ${storm.processes}, effects ${storm.effects}, kills in a running effect ${report.kills}, freezes beyond the lease ${report.freezes}
  appends of woken executors refused ${report.zombieAppendsRefused}
  takeovers ${storm.takeovers}, takeover time p50 ${at(0.5)}, max ${at(1)}
  completed operators passed over ${storm.passedOver}, executed again 0 expected, attempts repeated ${storm.attemptsRepeated}
  late effects of attempts that were cut off ${storm.lateEffects}
  PostgreSQL restarted ${report.restarts} times: processes ${calm.processes}, takeovers ${calm.takeovers}, attempts repeated ${calm.attemptsRepeated}
`);
      expect(storm.broken, `seed ${seed}`).toEqual([]);
      expect(calm.broken, `seed ${seed}`).toEqual([]);
      expect(storm.processes).toBeGreaterThanOrEqual(1000);
      expect(report.kills).toBeGreaterThanOrEqual(50);
      expect(report.freezes).toBeGreaterThanOrEqual(20);
      expect(report.zombieAppendsRefused).toBeGreaterThanOrEqual(20);
      expect(report.restarts).toBe(10);
      expect({ takeovers: calm.takeovers, attemptsRepeated: calm.attemptsRepeated }).toEqual({
        takeovers: 0,
        attemptsRepeated: 0,
      });
    },
    600_000 + minutes * 60_000,
  );
});
