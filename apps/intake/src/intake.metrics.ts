import type { ProcessViews } from '@baton/event-log';
import { type Instruments, type Metrics, meterOver } from '@baton/telemetry';

export interface Answered {
  method: string;
  route: string;
  status: number;
  seconds: number;
}

/** What intake measures. Attributes are bounded: routes as they are written, never what was asked for. */
export class IntakeMetrics {
  readonly #instruments: Instruments;

  constructor(metrics: Metrics, views: Pick<ProcessViews, 'countByStatus'>, onError: (error: unknown) => void) {
    // A scrape while the database is away has the other figures.
    this.#instruments = meterOver(metrics.meter, { onError });
    this.#instruments.observe('baton.process.count', async (observe) => {
      const counts = await views.countByStatus();
      for (const [status, count] of Object.entries(counts)) observe(count, { 'baton.process.status': status });
    });
  }

  answered({ method, route, status, seconds }: Answered): void {
    const attributes = { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status };
    this.#instruments.record('http.server.request.duration', seconds, attributes);
  }
}
