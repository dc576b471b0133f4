export { knownTraces } from './known-traces.js';
export { ConfigError, commaList, loadConfig, onOff } from './load-config.js';
export { createLogger, type Logger, type LoggerOptions } from './logger.js';
export { type Instruments, meterOver } from './metrics/instruments.js';
export {
  isMetricName,
  type MetricDescription,
  type MetricName,
  metricList,
  prometheusNames,
} from './metrics/metric.list.js';
export { createMetrics, type Meter, type Metrics } from './metrics/metrics.js';
export { type NestLogger, nestLogger } from './nest-logger.js';
export { runService } from './run-service.js';
export { serviceVariables } from './service.variables.js';
export { type ReadyReport, readyReportOf, type Supervised, type SupervisedOptions, supervised } from './supervised.js';
export type { SpanRecord } from './trace/span.record.js';
export { onPartialSuccess, otlpSpanSender, type SendResult, type SpanSender } from './trace/span-sender.js';
export { outgoingTraceparent, readTraceSettings, type TraceSettings } from './trace/trace.settings.js';
export {
  attemptSpanId,
  formatTraceparent,
  parseTraceparent,
  parseTracestate,
  processContext,
  processSpanId,
  type Sampler,
  type TraceContext,
} from './trace/trace-context.js';
export { TraceDeriver, type TraceDeriverOptions } from './trace/trace-deriver.js';
