import { styleText } from 'node:util';
import type { WatchState } from './watch.state.js';

/** One executor as the screen shows it. */
export interface ExecutorLine {
  name: string;
  pid: number;
  state: 'alive' | 'killed' | 'frozen' | 'woken' | 'replaced';
  processes: number;
  note: string;
}

const width = 30;
function bar(done: number, of: number, colour: 'green' | 'cyan'): string {
  const filled = of === 0 ? 0 : Math.round((done / of) * width);
  return styleText(colour, '█'.repeat(filled)) + styleText('gray', '░'.repeat(width - filled));
}
const symbol: Record<ExecutorLine['state'], string> = {
  alive: styleText('green', '●'),
  killed: styleText('red', '✗'),
  frozen: styleText('blue', '❄'),
  woken: styleText('yellow', '◐'),
  replaced: styleText('green', '●'),
};

/** Draws the demo live: redrawn in place on a terminal, line by line where there is none (CI, a pipe). */
export class ScreenView {
  readonly #startedAt = Date.now();
  readonly #feed: string[] = [];
  readonly #live = process.stdout.isTTY === true;
  #drawn = 0;
  #lastSummary = '';

  constructor(private readonly expected: number) {}

  /** A notable moment: kept in the feed. */
  say(text: string): void {
    const line = `${this.#clock()}  ${text}`;
    if (this.#live) this.#feed.push(line);
    else process.stdout.write(`${line}\n`);
  }

  draw(watch: WatchState, executors: readonly ExecutorLine[]): void {
    const ended = watch.rootsEnded;
    const lines = [
      `${styleText('bold', 'Baton')}  ${this.expected} releases, three executors, one killed, one frozen            ${this.#clock()}`,
      '',
      `  requested  ${bar(watch.roots, this.expected, 'cyan')} ${watch.roots}/${this.expected}`,
      `  ended      ${bar(ended, this.expected, 'green')} ${ended}/${this.expected}   completed ${watch.endedAs('completed')}  failed and undone ${watch.endedAs('failed')}`,
      `  right now  waiting ${watch.waiting.size}   effects running ${watch.operatorsRunning.size}   approvals open ${watch.openTasks.size}   undoing ${watch.compensating.size}   child processes ${watch.children.size}`,
      `  so far     ${watch.operatorsCompleted} operators completed, ${watch.events} events, ${watch.takeovers.length} processes taken over`,
      '',
      ...executors.map(
        (e) =>
          `  ${symbol[e.state]} executor ${e.name} pid ${String(e.pid).padEnd(7)} ${e.state.padEnd(8)} ${String(e.processes).padStart(3)} processes  ${e.note}`,
      ),
      '',
      ...this.#feed.slice(-9).map((line) => `  ${line}`),
    ];
    if (this.#live) {
      const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[0J` : '';
      const columns = process.stdout.columns || 100;
      process.stdout.write(`${up}${lines.map((line) => clip(line, columns)).join('\n')}\n`);
      this.#drawn = lines.length;
      return;
    }
    const summary = `${this.#clock()}  requested ${watch.roots}  ended ${ended}  waiting ${watch.waiting.size}  effects running ${watch.operatorsRunning.size}  approvals open ${watch.openTasks.size}  taken over ${watch.takeovers.length}`;
    if (summary.slice(0, 4) !== this.#lastSummary.slice(0, 4)) {
      process.stdout.write(`${summary}\n`); // once every ten seconds: the clock's fourth character is its tens
      this.#lastSummary = summary;
    }
  }

  #clock(): string {
    const s = (Date.now() - this.#startedAt) / 1000;
    return `${String(Math.floor(s / 60)).padStart(2, '0')}:${(s % 60).toFixed(1).padStart(4, '0')}`;
  }
}

/** Cuts a line at the terminal's width, colours not counted, so that the redraw stays in step. */
function clip(line: string, columns: number): string {
  let seen = 0;
  let out = '';
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\x1b') {
      const end = line.indexOf('m', i);
      out += line.slice(i, end + 1);
      i = end;
    } else if (seen < columns - 1) {
      out += line[i];
      seen++;
    }
  }
  return out;
}
