import { stripVTControlCharacters } from 'node:util';
import type { OperatorItem, Process } from '@baton/contracts';
import { type CompiledDefinition, type OutlineLine, outline } from '@baton/process';
import { bold, dim, paint, paintStatus, shorten, symbolOf } from './style.js';
import { between } from './time.js';

/** The process's graph with its state, for a terminal of this width. */
export function drawProcess(
  process: Process,
  definition: CompiledDefinition | undefined,
  width: number,
  now: number,
): string[] {
  return [
    ...heading(process, now),
    '',
    ...(definition ? drawGraph(process, definition, width, now) : drawList(process, width, now)),
    ...ending(process, width),
  ];
}

function heading(process: Process, now: number): string[] {
  const name = `${process.definition} v${process.version}`;
  const facts = [
    paintStatus(process.status, bold(process.status)),
    process.environment ?? '',
    process.startedAt ? between(process.startedAt, process.endedAt, now) : '',
    process.owner ? dim(`driven by ${process.owner}`) : '',
  ].filter((fact) => fact !== '');
  return [`${bold(process.title ?? name)}  ${dim(process.id)}`, `${name} · ${facts.join(' · ')}`];
}

function drawGraph(process: Process, definition: CompiledDefinition, width: number, now: number): string[] {
  const byPath = groupByPath(process.operators);
  const lines = outline(definition.operators).flatMap((line) => drawLine(line, byPath, width, now));
  const last = outline(definition.finally, 'finally/').flatMap((line) => drawLine(line, byPath, width, now));
  return last.length > 0 ? [...lines, dim('finally'), ...last] : lines;
}

/** `deploy[3]` and `rollout[eu]/restart` belong to `deploy` and `rollout/restart`. */
function groupByPath(operators: readonly OperatorItem[]): Map<string, OperatorItem[]> {
  const byPath = new Map<string, OperatorItem[]>();
  for (const operator of operators) {
    const plain = operator.path.replace(/\[[^\]]*\]|#\d+/g, '');
    byPath.set(plain, [...(byPath.get(plain) ?? []), operator]);
  }
  return byPath;
}

function drawLine(
  line: OutlineLine,
  byPath: ReadonlyMap<string, OperatorItem[]>,
  width: number,
  now: number,
): string[] {
  const found = byPath.get(line.path) ?? [];
  const own = found.find(({ path }) => path === line.path);
  const items = found.filter(({ path }) => path !== line.path);
  const status = own?.status ?? (items.length > 0 ? statusOfItems(items) : 'pending');
  const undone = byPath.get(`${line.path}/compensate`)?.some((item) => item.status === 'completed');
  const name = line.path.slice(line.path.lastIndexOf('/') + 1);
  const left = `${line.rails} ${symbolOf(status)} `;
  const room = Math.max(12, Math.min(28, width - 50) - line.rails.length);
  const facts = [
    line.operator.type.padEnd(10),
    paintStatus(status, shownStatus(status, own, undone === true).padEnd(11)),
    own ? between(own.startedAt, own.endedAt, now).padStart(7) : ''.padStart(7),
    items.length > 0 ? itemsText(items) : '',
  ];
  const drawn = `${left}${shorten(name, room).padEnd(room)} ${facts.join(' ')}`;
  const text = `${drawn}${linksText(line.links, width - stripVTControlCharacters(drawn).length)}`.trimEnd();
  const error =
    own?.error && status === 'failed'
      ? [`${line.rails}     ${paint('red', shorten(own.error.message, width - line.rails.length - 6))}`]
      : [];
  return [text, ...error];
}

function linksText(links: readonly string[], room: number): string {
  return links.length === 0 || room < 8 ? '' : dim(shorten(` ← ${links.join(', ')}`, room));
}

function shownStatus(status: string, own: OperatorItem | undefined, undone: boolean): string {
  if (undone) return 'undone';
  if (own?.outcome !== undefined && status === 'completed') return own.outcome;
  return own && own.attempt > 1 && status !== 'pending' ? `${status} #${own.attempt}` : status;
}

function statusOfItems(items: readonly OperatorItem[]): string {
  const order = ['running', 'waiting', 'retrying', 'unknown', 'failed', 'pending', 'completed'];
  return order.find((status) => items.some((item) => item.status === status)) ?? items[0]?.status ?? 'pending';
}

function itemsText(items: readonly OperatorItem[]): string {
  const counts = new Map<string, number>();
  for (const { status } of items) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${symbolOf(status)} ${count}`).join(' ');
}

/** Without the definition (operator types of the user's own that are not here): the operators one below the other. */
function drawList(process: Process, width: number, now: number): string[] {
  return process.operators.map((operator) => {
    const time = between(operator.startedAt, operator.endedAt, now);
    const text = `${operator.path.padEnd(Math.min(40, width - 40))} ${operator.type.padEnd(10)} `;
    return ` ${symbolOf(operator.status)} ${text}${paintStatus(operator.status, operator.status.padEnd(11))} ${time}`;
  });
}

function ending(process: Process, width: number): string[] {
  if (process.error) return ['', paint('red', `${process.error.code}: ${shorten(process.error.message, width - 20)}`)];
  if (process.status === 'completed' && process.outputs !== null)
    return ['', `outputs ${shorten(JSON.stringify(process.outputs), width - 8)}`];
  return [];
}
