/** What is aimed at on two cores that also run PostgreSQL and the client, by the name of the figure. */
export interface Aim {
  figure: RegExp;
  aim: string;
  met(measured: number): boolean;
}

const atLeast = (least: number) => (measured: number) => measured >= least;
const atMost = (most: number) => (measured: number) => measured <= most;

export const aims: readonly Aim[] = [
  { figure: /^W1 100 in flight: ratio to the group-commit limit$/, aim: '≥ 0.5', met: atLeast(0.5) },
  { figure: /^W1 1000 in flight: ratio to the group-commit limit$/, aim: '≥ 0.6', met: atLeast(0.6) },
  { figure: /^W1 \d+ in flight: CPU per process, Baton and PostgreSQL$/, aim: '≤ 1.3 ms', met: atMost(1.3) },
  { figure: /^W1 100 in flight: request to end p50$/, aim: '≤ 60 ms', met: atMost(60) },
  { figure: /^W1 100 in flight: request to end p99$/, aim: '≤ 150 ms', met: atMost(150) },
  { figure: /^W2: per operator$/, aim: '≤ 0.4 ms, or 1.5 bare commits', met: atMost(0.4) },
  { figure: /^W2: ratio to a bare commit$/, aim: '≤ 1.5, or 0.4 ms', met: atMost(1.5) },
  { figure: /^W2a: request to first operator p99$/, aim: '< 100 ms', met: (measured) => measured < 100 },
  { figure: /^W3 \d+ processes, exit seen: first resumed$/, aim: '≤ 150 ms', met: atMost(150) },
  { figure: /^W3 100 processes, exit seen: all ended$/, aim: '≤ 2,000 ms', met: atMost(2000) },
  {
    figure: /^W3 \d+ processes, exit not seen: (first|last) resumed, exactly once$/,
    aim: '≤ 500 ms after the lock is free',
    met: atMost(500),
  },
  {
    figure: /^W3 \d+ processes, frozen: (first|last) resumed, exactly once$/,
    aim: '≤ 3,500 ms (lease + 500; its lock is never free)',
    met: atMost(3500),
  },
  {
    figure: /^W3 \d+ processes, (exit not seen|frozen): (first|last) resumed$/,
    aim: '≤ 3,500 ms (lease + 500)',
    met: atMost(3500),
  },
  { figure: /^W4 \d+ parked: memory of the executor more, per process$/, aim: 'nothing', met: atMost(100) },
  { figure: /^W4 \d+ parked: stored for each, history and indexes$/, aim: '≤ 1,500 bytes', met: atMost(1500) },
  { figure: /^W4 \d+ due in the same second.*: all fired after$/, aim: '≤ 2,000 ms', met: atMost(2000) },
  { figure: /^W5 events folded$/, aim: '≥ 500,000 /s', met: atLeast(500_000) },
  { figure: /^W5 takeover of \d+ events/, aim: '< 250 ms', met: (measured) => measured < 250 },
  { figure: /^W5 answers from outside into one process$/, aim: '≥ 1,000 /s', met: atLeast(1000) },
  { figure: /^W6 .* events in the log: operators, to an empty log$/, aim: '≥ 0.85', met: atLeast(0.85) },
  { figure: /^bus: Kafka, log to consumer$/, aim: '≥ 15,000 /s', met: atLeast(15_000) },
  {
    figure: /^bus: .*, 1,000 events\/s: commit to consumer p99$/,
    aim: '< 100 ms',
    met: (measured) => measured < 100,
  },
  { figure: /^cost: publishing: share of W1/, aim: '< 25 %', met: (measured) => measured < 25 },
  { figure: /^cost: telemetry: share of W1/, aim: '< 10 %', met: (measured) => measured < 10 },
];
