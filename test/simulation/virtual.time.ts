import type { Clock } from '../../apps/executor/src/clock/clock.port.js';
import type { SeededRandom } from './seeded.random.js';

interface Step {
  at: number;
  order: number;
  run: () => void;
}

/** Time that only passes when nothing is left to do now. Steps of the same moment come in an order of chance. */
export class VirtualTime {
  private now = 1_000_000;
  private readonly heap: Step[] = [];
  steps = 0;

  constructor(private readonly random: SeededRandom) {}

  current(): number {
    return this.now;
  }

  schedule(ms: number, run: () => void): Step {
    const step = { at: this.now + Math.max(0, ms), order: this.random.next(), run };
    this.push(step);
    return step;
  }

  cancel(step: Step): void {
    step.run = nothing;
  }

  /** Runs until `isDone` or until that time; between two steps everything that was promised is settled. */
  async run(until: number, isDone: () => boolean): Promise<void> {
    while (this.heap.length > 0 && !isDone()) {
      const step = this.pop();
      if (step.at > until) {
        this.now = until;
        return;
      }
      if (step.run === nothing) continue;
      this.now = Math.max(this.now, step.at);
      this.steps += 1;
      step.run();
      await settle();
    }
  }

  private push(step: Step): void {
    const { heap } = this;
    let index = heap.push(step) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (before(heap[parent] as Step, step)) break;
      heap[index] = heap[parent] as Step;
      index = parent;
    }
    heap[index] = step;
  }

  private pop(): Step {
    const { heap } = this;
    const first = heap[0] as Step;
    const last = heap.pop() as Step;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Step, heap[child] as Step)) child += 1;
      if (before(last, heap[child] as Step)) break;
      heap[index] = heap[child] as Step;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const nothing = (): void => undefined;

function before(a: Step, b: Step): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * One machine with one executor program on it: its clock, and its fate. Nothing reaches a dead one;
 * what reaches a frozen one waits until it wakes. Freezing may stop its monotonic clock (a suspended machine) or not (SIGSTOP).
 */
export class SimulatedNode implements Clock {
  isAlive = true;
  private frozen: { steps: (() => void)[]; stopsMonotonic: boolean; since: number } | null = null;
  private monotonicLag = 0;
  private wallSkew = 0;

  constructor(
    readonly name: string,
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
  ) {}

  wall(): number {
    return this.time.current() + this.wallSkew;
  }

  monotonic(): number {
    return this.time.current() - this.monotonicLag;
  }

  after(ms: number, call: () => void): () => void {
    const step = this.time.schedule(ms, () => this.reach(call));
    return () => this.time.cancel(step);
  }

  /** Something arrives here: an answer, a timer. */
  reach(call: () => void): void {
    if (!this.isAlive) return;
    if (this.frozen !== null) this.frozen.steps.push(call);
    else call();
  }

  kill(): void {
    this.isAlive = false;
  }

  isFrozen(): boolean {
    return this.frozen !== null;
  }

  freeze(stopsMonotonic: boolean): void {
    if (this.frozen === null) this.frozen = { steps: [], stopsMonotonic, since: this.time.current() };
  }

  /** What had arrived meanwhile happens in an order of chance. */
  thaw(): void {
    const frozen = this.frozen;
    if (frozen === null) return;
    this.frozen = null;
    if (frozen.stopsMonotonic) this.monotonicLag += this.time.current() - frozen.since;
    for (const call of frozen.steps) this.time.schedule(this.random.chance(0.5) ? 0 : 1, () => this.reach(call));
  }

  stepWallClock(ms: number): void {
    this.wallSkew += ms;
  }
}
