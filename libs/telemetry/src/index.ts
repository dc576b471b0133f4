export { ConfigError, commaList, loadConfig, onOff } from './load-config.js';
export { createLogger, type Logger, type LoggerOptions } from './logger.js';
export {
  type Counter,
  createMetrics,
  type Histogram,
  type Meter,
  type Metrics,
} from './metrics.js';
export { type NestLogger, nestLogger } from './nest-logger.js';
export { runService } from './run-service.js';
export { type ReadyReport, readyReportOf, type Supervised, type SupervisedOptions, supervised } from './supervised.js';
