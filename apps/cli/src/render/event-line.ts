import type { JsonValue, ProcessEventItem } from '@baton/contracts';
import { dim, paint, shorten } from './style.js';
import { clock } from './time.js';

type Data = { [key: string]: JsonValue | undefined };

/** An event as a line: `12:03:07.123  OperatorCompleted   deploy[3] #2  approved`. */
export function eventLine(event: ProcessEventItem, width: number): string {
  const data: Data = isRecord(event.data) ? event.data : {};
  const type = event.type.padEnd(23);
  const parts = [text(data['path']), attempt(data), detail(event.type, data)].filter((part) => part !== '');
  const line = `${dim(clock(event.time))} ${paintType(event.type, type)} `;
  return `${line}${shorten(parts.join('  '), Math.max(20, width - 38))}`;
}

function detail(type: string, data: Data): string {
  const error = data['error'];
  if (isRecord(error)) return `${text(error['code'])}: ${text(error['message'])}`;
  switch (type) {
    case 'ProcessTakenOver':
      return `by ${text(data['executor'])} from ${text(data['from'])}, ${text(data['eventsFolded'])} events folded, ${text(data['operatorsPassedOver'])} completed operators passed over`;
    case 'ProcessParked':
      return Array.isArray(data['waitsFor']) ? `waits for ${data['waitsFor'].map(text).join(', ')}` : '';
    case 'OperatorOutcomeUnknown':
      return `${text(data['reason'])} (recovery: ${text(data['recovery'])})`;
    case 'TaskAnswered':
      return `${isRecord(data['by']) ? text(data['by']['id']) : ''}: ${JSON.stringify(data['answer'])}`;
    default:
      return (
        ['outcome', 'status', 'executor', 'reason', 'dueAt', 'taskId', 'timer', 'kind']
          .map((field) => text(data[field]))
          .find((value) => value !== '') ?? ''
      );
  }
}

function attempt(data: Data): string {
  const value = data['attempt'];
  return typeof value === 'number' && value > 1 ? `#${value}` : '';
}

function paintType(type: string, shown: string): string {
  if (/Failed|Incident|Unknown|TimedOut/.test(type)) return paint('red', shown);
  if (/TakenOver/.test(type)) return paint('magenta', shown);
  if (/Completed/.test(type)) return paint('green', shown);
  if (/Waiting|Parked|Task|Retry|Compensation|Cancel|Paused/.test(type)) return paint('yellow', shown);
  return paint('cyan', shown);
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isRecord(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
