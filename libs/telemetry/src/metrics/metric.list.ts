export interface MetricDescription {
  kind: 'counter' | 'histogram' | 'gauge';
  /** UCUM. */
  unit: string;
  /** Who has it. */
  services: readonly ('intake' | 'scheduler' | 'executor')[];
  meaning: string;
  /** Only what is bounded: types, outcomes, names of duties. Never ids. */
  attributes?: readonly string[];
}

const all = ['intake', 'scheduler', 'executor'] as const;
const ticks = ['scheduler'] as const;
const drives = ['executor'] as const;

/**
 * Every metric that Baton has. docs/reference/metrics.md is made from it; dashboards and alerts are checked against it;
 * an instrument that is not in it cannot be made.
 */
export const metricList = {
  'baton.append.batch-size': {
    kind: 'histogram',
    unit: '{append}',
    services: drives,
    meaning: 'Appends of different processes that one commit held',
  },
  'baton.append.commits': { kind: 'counter', unit: '{commit}', services: drives, meaning: 'Commits to the log' },
  'baton.append.duration': {
    kind: 'histogram',
    unit: 's',
    services: drives,
    meaning: 'From sending a batch of appends to its acknowledged commit',
  },
  'baton.append.fenced': {
    kind: 'counter',
    unit: '{append}',
    services: drives,
    meaning: 'Appends refused because another executor owns the process: each is a zombie that was stopped',
  },
  'baton.append.streams': {
    kind: 'counter',
    unit: '{append}',
    services: drives,
    meaning: 'Appends, over all commits',
  },
  'baton.bus.consumer-lag': {
    kind: 'gauge',
    unit: '{event}',
    services: ticks,
    meaning: 'Records that a consumer group of Baton has not yet dealt with (told by the scheduler that publishes)',
    attributes: ['group', 'topic'],
  },
  'baton.bus.dead-letters': {
    kind: 'counter',
    unit: '{event}',
    services: all,
    meaning: 'Events that a handler failed at for good',
    attributes: ['subscriber'],
  },
  'baton.bus.delivered': {
    kind: 'counter',
    unit: '{event}',
    services: all,
    meaning: 'Events handed to a handler',
    attributes: ['subscriber', 'outcome'],
  },
  'baton.bus.tail-horizon': {
    kind: 'gauge',
    unit: 's',
    services: all,
    meaning: 'Age of the oldest transaction that holds this subscriber of the tail back',
    attributes: ['subscriber'],
  },
  'baton.claim.duration': {
    kind: 'histogram',
    unit: 's',
    services: drives,
    meaning: 'A look for work that found some, with the claims that followed',
  },
  'baton.claim.latency': {
    kind: 'histogram',
    unit: 's',
    services: drives,
    meaning: 'How long a process that could go on had waited when an executor took it',
  },
  'baton.executor.count': {
    kind: 'gauge',
    unit: '{executor}',
    services: ticks,
    meaning: 'Executors by status, of the last hour',
    attributes: ['status'],
  },
  'baton.executor.driven': {
    kind: 'gauge',
    unit: '{process}',
    services: ticks,
    meaning: 'Processes driven by the executors that are alive, as their heartbeats say',
  },
  'baton.executor.capacity': {
    kind: 'gauge',
    unit: '{process}',
    services: ticks,
    meaning: 'Processes that the executors that are alive could drive at the same time',
  },
  'baton.incident.open': {
    kind: 'gauge',
    unit: '{incident}',
    services: ticks,
    meaning: 'Incidents that wait for a person',
  },
  'baton.operator.duration': {
    kind: 'histogram',
    unit: 's',
    services: drives,
    meaning: 'Attempts of operators of class effect; its count is operators per second',
    attributes: ['type', 'outcome'],
  },
  'baton.process.count': {
    kind: 'gauge',
    unit: '{process}',
    services: ['intake'],
    meaning: 'Processes by status, as the list has them (the same from every intake)',
    attributes: ['baton.process.status'],
  },
  'baton.process.driver-failures': {
    kind: 'counter',
    unit: '{failure}',
    services: drives,
    meaning: 'Processes that an executor failed to drive; each is taken up again',
  },
  'baton.process.takeovers': {
    kind: 'counter',
    unit: '{takeover}',
    services: drives,
    meaning: 'Processes taken over from lost executors',
  },
  'baton.publisher.batch': {
    kind: 'histogram',
    unit: 's',
    services: ticks,
    meaning: 'From reading a batch of the tail to its acknowledgement by the broker',
  },
  'baton.publisher.published': {
    kind: 'counter',
    unit: '{event}',
    services: ticks,
    meaning: 'Events that the broker acknowledged',
  },
  'baton.publisher.republished': {
    kind: 'counter',
    unit: '{range}',
    services: ticks,
    meaning: 'Times that a range of the log was published again',
  },
  'baton.queue.depth': {
    kind: 'gauge',
    unit: '{process}',
    services: ticks,
    meaning: 'Processes that wait to be admitted, by priority (9 first)',
    attributes: ['priority'],
  },
  'baton.requests.from-topic': {
    kind: 'counter',
    unit: '{request}',
    services: ['intake'],
    meaning: 'Requests that came by the topic `baton.request`',
    attributes: ['outcome'],
  },
  'baton.scheduler.admitted': { kind: 'counter', unit: '{process}', services: ticks, meaning: 'Processes admitted' },
  'baton.scheduler.children-told': {
    kind: 'counter',
    unit: '{process}',
    services: ticks,
    meaning: "Ends of children that only the scan told to their parents: normally the child's executor does",
  },
  'baton.scheduler.failed-rounds': {
    kind: 'counter',
    unit: '{round}',
    services: ticks,
    meaning: 'Rounds of a duty that failed; each is repeated',
    attributes: ['duty'],
  },
  'baton.scheduler.messages-delivered': {
    kind: 'counter',
    unit: '{message}',
    services: ticks,
    meaning: 'Messages that the scan brought to their receivers',
  },
  'baton.scheduler.records-delivered': {
    kind: 'counter',
    unit: '{record}',
    services: ticks,
    meaning: 'Records of topics that were brought to a `receive`',
  },
  'baton.scheduler.records-taken': {
    kind: 'counter',
    unit: '{record}',
    services: ticks,
    meaning: 'Records of topics that were kept for a `receive`, now or later',
  },
  'baton.scheduler.round': {
    kind: 'histogram',
    unit: 's',
    services: ticks,
    meaning: 'Rounds of a duty',
    attributes: ['duty'],
  },
  'baton.scheduler.views-fed': {
    kind: 'counter',
    unit: '{event}',
    services: ticks,
    meaning: 'Events read into the list of processes',
  },
  'baton.self-audit.findings': {
    kind: 'counter',
    unit: '{finding}',
    services: ticks,
    meaning: 'What the self-audit found and repaired: none is expected',
    attributes: ['kind'],
  },
  'baton.tail.horizon-age': {
    kind: 'gauge',
    unit: 's',
    services: ticks,
    meaning: 'Age of the oldest transaction that holds the tail back: lists, bus and traces are that much behind',
  },
  'baton.tail.lag': {
    kind: 'gauge',
    unit: 's',
    services: ticks,
    meaning:
      'Age of the oldest event that a reader of the tail has not dealt with: `process-views` (lists), `kafka-publisher`, `traces` (exporter)',
    attributes: ['subscriber'],
  },
  'baton.takeover.duration': {
    kind: 'histogram',
    unit: 's',
    services: drives,
    meaning: 'From the moment that an executor was marked lost to the takeover of each of its processes',
  },
  'baton.task.open': { kind: 'gauge', unit: '{task}', services: ticks, meaning: 'User tasks that wait for an answer' },
  'baton.timer.lag': {
    kind: 'gauge',
    unit: 's',
    services: ticks,
    meaning:
      'How long the longest-waiting process that could go on (timers, answers, new ones) has waited for an executor',
  },
  'baton.traces.spans': {
    kind: 'counter',
    unit: '{span}',
    services: ticks,
    meaning: 'Spans given to the collector; `refused`: it never wanted them, they are gone',
    attributes: ['outcome'],
  },
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    services: ['intake'],
    meaning: 'Answers of the REST API',
    attributes: ['http.request.method', 'http.route', 'http.response.status_code'],
  },
  'baton.wakeups': {
    kind: 'counter',
    unit: '{item}',
    services: ['scheduler', 'executor'],
    meaning: 'Work that was found, by the way that led to it: bus, notify, poll, timer (a due time) or self',
    attributes: ['work', 'way'],
  },
} as const satisfies Record<string, MetricDescription>;

export type MetricName = keyof typeof metricList;

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(metricList, name);

/** What `/metrics` calls it: the series of a metric, as Prometheus stores them. */
export function prometheusNames(name: MetricName): string[] {
  const base = name.replaceAll(/[^A-Za-z0-9_]/g, '_');
  switch (metricList[name].kind) {
    case 'counter':
      return [`${base}_total`];
    case 'histogram':
      return [`${base}_bucket`, `${base}_count`, `${base}_sum`];
    case 'gauge':
      return [base];
  }
}
