import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc: 100 a second on every Linux that Node.js runs on. */
const tickMs = 10;

interface Times {
  parent: number;
  /** Of the process itself. */
  own: number;
  /** Of children that have ended and were waited for. */
  ended: number;
}

/** CPU milliseconds of a process, user and system; null when it is gone, or without /proc. */
function timesOf(pid: number): Times | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
  // The name stands in brackets and may hold anything; what follows the last one are numbers from the third field on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const at = (field: number): number => Number(fields[field - 3]) * tickMs;
  return { parent: Number(fields[1]), own: at(14) + at(15), ended: at(16) + at(17) };
}

/** Adds up what one process and its children use; a server that forks (PostgreSQL) counts as one. */
export function cpuMs(pid: number, withChildren: boolean): number {
  const own = timesOf(pid);
  if (!own) return 0;
  if (!withChildren) return own.own;
  let sum = own.own + own.ended;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const child = timesOf(Number(name));
    if (child?.parent === pid) sum += child.own;
  }
  return sum;
}

/** Resident memory in MiB; 0 when it is gone. */
export function residentMiB(pid: number): number {
  try {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line ? Number(line[1]) / 1024 : 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 0;
    throw error;
  }
}
