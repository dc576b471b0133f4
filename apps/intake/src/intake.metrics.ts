import type { ProcessViews } from '@baton/event-log';
import type { Metrics } from '@baton/telemetry';

export interface Answered {
  method: string;
  route: string;
  status: number;
  seconds: number;
}

/** What intake measures. Attributes are bounded: routes as they are written, never what was asked for. */
export class IntakeMetrics {
  readonly #duration;

  constructor(metrics: Metrics, views: Pick<ProcessViews, 'countByStatus'>, onError: (error: unknown) => void) {
    this.#duration = metrics.meter.createHistogram('http.server.request.duration', {
      unit: 's',
      description: 'Answers of the REST API, by route and status',
    });
    const processes = metrics.meter.createObservableGauge('baton.process.count', {
      unit: '{process}',
      description: 'Processes by status, as the list of processes has them',
    });
    processes.addCallback(async (result) => {
      try {
        const counts = await views.countByStatus();
        for (const [status, count] of Object.entries(counts)) result.observe(count, { 'baton.process.status': status });
      } catch (error) {
        // A scrape while the database is away has the other figures.
        onError(error);
      }
    });
  }

  answered({ method, route, status, seconds }: Answered): void {
    const attributes = { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status };
    this.#duration.record(seconds, attributes);
  }
}
