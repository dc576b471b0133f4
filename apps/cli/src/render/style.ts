import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours on a terminal; plain text into a file, or with NO_COLOR. */
export function paint(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

const statusLook: Readonly<Record<string, { symbol: string; format: Format }>> = {
  completed: { symbol: '✔', format: 'green' },
  failed: { symbol: '✘', format: 'red' },
  running: { symbol: '▶', format: 'cyan' },
  waiting: { symbol: '◷', format: 'yellow' },
  retrying: { symbol: '↻', format: 'yellow' },
  unknown: { symbol: '?', format: 'magenta' },
  incident: { symbol: '!', format: 'magenta' },
  skipped: { symbol: '↷', format: 'gray' },
  'not-taken': { symbol: '·', format: 'gray' },
  cancelled: { symbol: '⊘', format: 'gray' },
  compensated: { symbol: '↶', format: 'yellow' },
  compensating: { symbol: '↶', format: 'yellow' },
  paused: { symbol: '‖', format: 'yellow' },
  pending: { symbol: '○', format: 'gray' },
  requested: { symbol: '○', format: 'gray' },
  queued: { symbol: '○', format: 'gray' },
};

export function symbolOf(status: string): string {
  const look = statusLook[status];
  return look ? paint(look.format, look.symbol) : ' ';
}

export function paintStatus(status: string, text = status): string {
  const look = statusLook[status];
  return look ? paint(look.format, text) : text;
}

export function dim(text: string): string {
  return paint('dim', text);
}

export function bold(text: string): string {
  return paint('bold', text);
}

export function shorten(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > width ? `${line.slice(0, Math.max(1, width - 1))}…` : line;
}
