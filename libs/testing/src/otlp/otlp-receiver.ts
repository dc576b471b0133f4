import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { z } from 'zod';
import { otlpProto } from './otlp.proto.js';

const id = z
  .union([z.string(), z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('hex'))])
  .default('');
const time = z.coerce.bigint();
const any = z
  .object({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: z.coerce.number().optional(),
    doubleValue: z.number().optional(),
    arrayValue: z.object({ values: z.array(z.object({ stringValue: z.string().optional() })).default([]) }).optional(),
  })
  .transform(
    (value) =>
      value.stringValue ??
      value.intValue ??
      value.doubleValue ??
      value.boolValue ??
      value.arrayValue?.values.map((item) => item.stringValue ?? ''),
  );
const attributes = z
  .array(z.object({ key: z.string(), value: any }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));
const span = z.object({
  traceId: id,
  spanId: id,
  traceState: z.string().default(''),
  parentSpanId: id,
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: time,
  endTimeUnixNano: time,
  attributes,
  events: z.array(z.object({ name: z.string(), timeUnixNano: time, attributes })).default([]),
  links: z.array(z.object({ traceId: id, spanId: id, attributes })).default([]),
  status: z.object({ code: z.number().default(0), message: z.string().default('') }).prefault({}),
  droppedEventsCount: z.number().default(0),
});
const resource = z.object({ attributes }).prefault({});
const traceRequest = z.object({
  resourceSpans: z.array(z.object({ resource, scopeSpans: z.array(z.object({ spans: z.array(span).default([]) })) })),
});
const metricRequest = z.object({
  resourceMetrics: z.array(
    z.object({
      resource,
      scopeMetrics: z.array(
        z.object({ metrics: z.array(z.object({ name: z.string(), unit: z.string().default('') })) }),
      ),
    }),
  ),
});

export type ReceivedSpan = z.infer<typeof span> & { service: unknown; resource: Record<string, unknown> };

/**
 * An OTLP receiver over HTTP, protobuf and JSON, decoded by protobufjs and by the JSON mapping of the standard. It can be
 * away (connections are refused), answer with an error, or hold an answer back.
 */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly metrics = new Map<string, { unit: string; service: unknown }>();
  /** Of each service: the names of the metrics that came from it, and the instances that sent them. */
  readonly pushed = new Map<unknown, { names: Set<string>; instances: Set<unknown> }>();
  /** Content types and headers, as they came. */
  readonly requests: { path: string; type: string; headers: IncomingMessage['headers']; spans: number }[] = [];
  /** What is answered; 200 unless set. Spans of a refused request are not kept. */
  status = 200;
  /** Called after the spans are kept and before the answer. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  readonly #types = protobuf.parse(otlpProto).root;
  readonly #waiting = new Set<() => void>();
  #server: Server | null = null;
  #port = 0;

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await receiver.comeBack();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async comeBack(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address !== null && typeof address !== 'string') this.#port = address.port;
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  /** Settles when what was received is such. */
  async until<T>(look: () => T | undefined | false | null): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false && found !== null) return found;
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  of(process: string): ReceivedSpan[] {
    return this.spans.filter((one) => one.attributes['baton.process.id'] === process);
  }

  /** The process's own span is the last of its trace. */
  async wholeTrace(process: string): Promise<ReceivedSpan[]> {
    await this.until(() => this.of(process).some((one) => one.attributes['baton.process.status'] !== undefined));
    return this.of(process);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const type = request.headers['content-type'] ?? '';
    const path = request.url ?? '';
    const { status } = this;
    let count = 0;
    if (path.endsWith('/v1/traces')) {
      const spans = this.#spansOf(this.#decode('ExportTraceServiceRequest', type, body));
      count = spans.length;
      if (status === 200) this.spans.push(...spans);
    } else if (path.endsWith('/v1/metrics')) this.#keepMetrics(this.#decode('ExportMetricsServiceRequest', type, body));
    this.requests.push({ path, type, headers: request.headers, spans: count });
    await this.beforeAnswer();
    for (const look of this.#waiting) look();
    this.#waiting.clear();
    response.writeHead(status, { 'content-type': type }).end(type === 'application/json' && status === 200 ? '{}' : '');
  }

  #decode(name: string, type: string, body: Buffer): unknown {
    if (type === 'application/json') return JSON.parse(body.toString('utf8'));
    if (type !== 'application/x-protobuf') throw new Error(`The receiver does not know ${type}.`);
    const message = this.#types.lookupType(`otlp.${name}`);
    return message.toObject(message.decode(body), { longs: String, bytes: Buffer, defaults: false });
  }

  #spansOf(request: unknown): ReceivedSpan[] {
    const { resourceSpans } = traceRequest.parse(request, { reportInput: true });
    return resourceSpans.flatMap(({ resource: of, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((one) => ({ ...one, service: of.attributes['service.name'], resource: of.attributes })),
      ),
    );
  }

  #keepMetrics(request: unknown): void {
    for (const { resource: of, scopeMetrics } of metricRequest.parse(request).resourceMetrics) {
      const service = of.attributes['service.name'];
      const { names, instances } = this.pushed.get(service) ?? { names: new Set(), instances: new Set() };
      this.pushed.set(service, { names, instances: instances.add(of.attributes['service.instance.id']) });
      for (const { name, unit } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        this.metrics.set(name, { unit, service });
        names.add(name);
      }
    }
  }
}
