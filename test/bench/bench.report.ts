import { writeFileSync } from 'node:fs';
import { aims } from './aims.js';
import { type Figure, Figures, figureText, median, shortNumber } from './figures.js';
import type { MachineFacts } from './machine.facts.js';

interface ReportContent {
  machine: MachineFacts;
  settings: Record<string, string>;
  figures: Figure[];
  aims: AimRow[];
  failures: string[];
}

interface AimRow {
  aim: string;
  figure: string;
  measured: string;
  met: boolean | null;
}

/**
 * What a run has found so far. Each figure is told as it comes and, where a file is given, the whole report is written
 * again: a run that is cut off loses nothing.
 */
export class BenchReport {
  readonly figures: Figures;
  readonly failures: string[] = [];
  settings: Record<string, string> = {};

  constructor(
    private readonly machine: MachineFacts,
    private readonly file: string | null,
    readonly say: (text: string) => void,
  ) {
    this.figures = new Figures((figure, value) => {
      const round = figure.rounds.length > 1 ? ` [${figure.rounds.length}]` : '';
      say(`  ${figure.name}${round}  ${shortNumber(value)} ${figure.unit}`);
      this.save();
    });
  }

  content(): ReportContent {
    const { machine, settings, failures } = this;
    return { machine, settings, figures: this.figures.list(), aims: this.aimRows(), failures };
  }

  /** All figures, and those that have an aim once more, as a table for docs/performance.md. */
  text(): string {
    const list = this.figures.list();
    const width = Math.max(0, ...list.map(({ name }) => name.length));
    const rows = this.aimRows().map(
      ({ figure, aim, measured, met }) =>
        `| ${figure} | ${aim} | ${measured} | ${met === null ? '' : met ? 'yes' : 'no'} |`,
    );
    return [
      ...list.map((figure) => `${figure.name.padEnd(width)}  ${figureText(figure)}`),
      '',
      '| figure | aim | measured | met |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  }

  save(): void {
    if (this.file !== null) writeFileSync(this.file, JSON.stringify(this.content(), null, 1));
  }

  private aimRows(): AimRow[] {
    return aims.flatMap(({ figure, aim, met }) =>
      this.figures
        .list()
        .filter(({ name }) => figure.test(name))
        .map((found) => ({ figure: found.name, aim, measured: figureText(found), met: met(median(found.rounds)) })),
    );
  }
}
