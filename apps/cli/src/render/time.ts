/** `1.2s`, `3m 05s`, `2h 10m`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 0) return '0ms';
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${minutes}m ${String(Math.floor((milliseconds % 60_000) / 1_000)).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

export function between(from: string | null, to: string | null, now: number): string {
  if (from === null) return '';
  return durationText((to === null ? now : Date.parse(to)) - Date.parse(from));
}

export function ago(time: string | null, now: number): string {
  return time === null ? '' : `${durationText(now - Date.parse(time))} ago`;
}

/** `14:03:07.123`, in the time zone of the reader. */
export function clock(time: string): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
