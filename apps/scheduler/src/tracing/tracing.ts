import type { Lease } from '@baton/bus';
import { onPartialSuccess, otlpSpanSender, type SpanSender, type TraceSettings } from '@baton/telemetry';
import type { Logger } from '../scheduler.ports.js';
import { TraceExporter, type TraceExporterOptions } from './trace-exporter.js';

export interface TracingOptions extends Omit<TraceExporterOptions, 'sender' | 'batch' | 'request' | 'settings'> {
  settings: TraceSettings;
  lease: Pick<Lease, 'hold'>;
  logger: Logger;
}

/** Nobody waits for a span: few large pages cost less than many small ones, in reads, checkpoints and requests. */
export const tracesEveryMs = 1_000;
const batch = 5_000;
/** A collector takes 4 MiB in one request unless told otherwise; a span is a quarter of a kB as a rule. */
const request = 2_000;

/** The exporter of traces with its lease: of all schedulers one exports. */
export class Tracing {
  readonly #sender: SpanSender;
  readonly #exporter: TraceExporter;

  constructor(private readonly options: TracingOptions) {
    onPartialSuccess((text) => options.logger.warn({ text }, 'the collector says'));
    this.#sender = otlpSpanSender(options.settings);
    this.#exporter = new TraceExporter({ ...options, sender: this.#sender, batch, request });
  }

  async round(): Promise<'again' | undefined> {
    if ((await this.options.lease.hold()) === null) {
      this.#exporter.forget();
      return undefined;
    }
    return (await this.#exporter.round()) ? 'again' : undefined;
  }

  close(): Promise<void> {
    return this.#sender.close();
  }
}
