/** A figure over the rounds: its name says what it is, its unit how to read it. */
export interface Figure {
  name: string;
  unit: string;
  rounds: number[];
}

/** Collects figures round by round, in the order in which they first came; `told` hears of each as it comes. */
export class Figures {
  readonly #all = new Map<string, Figure>();

  constructor(private readonly told: (figure: Figure, value: number) => void = () => undefined) {}

  add(name: string, unit: string, value: number): void {
    let figure = this.#all.get(name);
    if (figure) figure.rounds.push(value);
    else {
      figure = { name, unit, rounds: [value] };
      this.#all.set(name, figure);
    }
    this.told(figure, value);
  }

  list(): Figure[] {
    return [...this.#all.values()];
  }

  find(name: string): Figure | undefined {
    return this.#all.get(name);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

/** `median unit (least – most)`. */
export function figureText({ unit, rounds }: Figure): string {
  const range =
    rounds.length > 1 ? `  (${shortNumber(Math.min(...rounds))} – ${shortNumber(Math.max(...rounds))})` : '';
  return `${shortNumber(median(rounds))} ${unit}${range}`;
}

export function shortNumber(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
