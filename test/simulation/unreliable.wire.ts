import type { SeededRandom } from './seeded.random.js';
import type { SimulatedNode, VirtualTime } from './virtual.time.js';

export interface WireFaults {
  /** Chance that a request's connection breaks: it was executed or not, at once or much later, and nobody tells. */
  cut: number;
  /** Chance that a request is executed very late, after its sender gave it up. */
  late: number;
}

export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

/**
 * The way between a node and the database. A request is executed at once, late or never; its answer may be lost.
 * What is executed is executed whole, as the database does.
 */
export class UnreliableWire {
  isDown = false;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    private readonly faults: () => WireFaults,
  ) {}

  call<T>(node: SimulatedNode, execute: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (ms: number): void => {
        this.time.schedule(ms, () => node.reach(() => reject(new ConnectionLost('the connection was lost'))));
      };
      const { cut, late } = this.faults();
      if (this.isDown) {
        fail(this.random.between(1, 20));
        return;
      }
      const run = (ms: number, answer: (result: Promise<T>) => void): void => {
        this.time.schedule(ms, () => answer(execute()));
      };
      const ignore = (result: Promise<T>): void => {
        result.catch(() => undefined);
      };
      if (this.random.chance(cut)) {
        if (this.random.chance(0.6)) run(this.random.between(0, 3), ignore);
        fail(this.random.between(1, 30));
        return;
      }
      if (this.random.chance(late)) {
        run(this.random.between(100, 8000), ignore);
        fail(this.random.between(30, 200));
        return;
      }
      run(this.random.between(0, 2), (result) => {
        result.then(
          (value) => this.time.schedule(this.random.between(0, 2), () => node.reach(() => resolve(value))),
          (error: unknown) => this.time.schedule(0, () => node.reach(() => reject(error))),
        );
      });
    });
  }
}
