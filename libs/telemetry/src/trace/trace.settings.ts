import { ConfigError } from '../load-config.js';
import { attemptSpanId, formatTraceparent, parseTraceparent, processContext, type Sampler } from './trace-context.js';

/** What the standard variables of OpenTelemetry say about traces. */
export interface TraceSettings {
  /** Whether spans are exported. If not, what leaves the house carries the context that came in, unchanged. */
  exported: boolean;
  protocol: 'http/protobuf' | 'http/json';
  sampler: Sampler;
}

type Environment = Readonly<Record<string, string | undefined>>;

const given = (environment: Environment, name: string): string | undefined => environment[name]?.trim() || undefined;

/** By OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT/PROTOCOL and OTEL_TRACES_SAMPLER[_ARG]. */
export function readTraceSettings(environment: Environment): TraceSettings {
  return {
    exported: isExported(environment, 'TRACES'),
    protocol: protocolOf(environment, 'TRACES'),
    sampler: samplerOf(environment),
  };
}

/** On when an endpoint is given, or when `otlp` is asked for by name (then to the standard's default, localhost:4318). */
export function isExported(environment: Environment, signal: 'TRACES' | 'METRICS'): boolean {
  if (given(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return false;
  const variable = `OTEL_${signal}_EXPORTER`;
  const asked =
    given(environment, variable)
      ?.split(',')
      .map((name) => name.trim()) ?? [];
  const known = signal === 'METRICS' ? ['otlp', 'prometheus', 'none'] : ['otlp', 'none'];
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) throw fault(variable, `"${unknown}" is not known; use ${known.join(' or ')}`);
  if (asked.includes('otlp')) return true;
  if (asked.length > 0) return false;
  const endpoint =
    given(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) ?? given(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === undefined) return false;
  if (!/^https?:\/\/[^/]/.test(endpoint))
    throw fault('OTEL_EXPORTER_OTLP_ENDPOINT', `"${endpoint}" is no URL; write http://host:4318`);
  return true;
}

export function protocolOf(environment: Environment, signal: 'TRACES' | 'METRICS'): TraceSettings['protocol'] {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
  const variable = given(environment, own) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : own;
  const protocol = given(environment, variable) ?? 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  throw fault(variable, `"${protocol}" is not spoken; use http/protobuf or http/json (port 4318 of a collector)`);
}

/** Decided by the trace id alone, so that every service decides alike; an incoming context decides for itself. */
function samplerOf(environment: Environment): Sampler {
  const name = given(environment, 'OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  switch (name.replace(/^parentbased_/, '')) {
    case 'always_on':
      return () => true;
    case 'always_off':
      return () => false;
    case 'traceidratio': {
      const text = given(environment, 'OTEL_TRACES_SAMPLER_ARG') ?? '1';
      const ratio = Number(text);
      if (!(ratio >= 0 && ratio <= 1)) throw fault('OTEL_TRACES_SAMPLER_ARG', `"${text}" is not between 0 and 1`);
      // The last 7 bytes are random in every trace id that follows the standard.
      const bound = ratio * 2 ** 52;
      return (traceId) => Number.parseInt(traceId.slice(-13), 16) < bound;
    }
    default:
      throw fault(
        'OTEL_TRACES_SAMPLER',
        `"${name}" is not known; use always_on, always_off or traceidratio, also with parentbased_ before it`,
      );
  }
}

const fault = (variable: string, text: string): ConfigError => new ConfigError([{ variable, fault: text }]);

/**
 * The context that an attempt's calls and children carry: its own span, which will be exported. When nothing is
 * exported, the context that came in: nobody must see a parent that never comes.
 */
export function outgoingTraceparent(
  settings: TraceSettings,
  process: { id: string; traceparent: string | null },
  path: string,
  attempt: number,
): string | undefined {
  const incoming = parseTraceparent(process.traceparent);
  if (!settings.exported) return incoming === null ? undefined : formatTraceparent(incoming);
  const context = processContext(process.id, incoming, settings.sampler);
  return formatTraceparent({ ...context, spanId: attemptSpanId(process.id, path, attempt) });
}
