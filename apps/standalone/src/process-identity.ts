import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** When the process began, in whatever words the system has for it: with its id it names a process for ever, also after a restart of the machine. */
export function startOf(pid: number): string | undefined {
  const stat = `/proc/${pid}/stat`;
  try {
    if (existsSync('/proc/self/stat')) {
      const text = readFileSync(stat, 'utf8');
      // The name in brackets may contain blanks; the start is the 22nd field, the 20th after it.
      const start = text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      return `${boot} ${start}`;
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined; // there is no such process
  }
}

/** The command line of a process; undefined when there is none. */
export function commandOf(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined; // there is no such process
  }
}
