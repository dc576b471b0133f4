import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** A UUID (version 8) that follows from what is named: the same names give the same id, everywhere and always. */
export function derivedUuid(...names: (string | number)[]): string {
  const hash = sha256(utf8ToBytes(names.join('\u0000'))).slice(0, 16);
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = bytesToHex(hash);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Children live in their parent's cell. */
export function childId(parent: string, path: string, attempt: number): string {
  const uuid = derivedUuid('child', parent, path, attempt);
  const cell = parent.length > 37 ? parent.slice(0, parent.length - 37) : '';
  return cell === '' ? uuid : `${cell}-${uuid}`;
}

/** Begins with the process's id, so that an answer finds its process also when the task is long over. */
export const taskId = (process: string, path: string, attempt: number): string =>
  `${process}.${derivedUuid('task', process, path, attempt).slice(0, 13)}`;
export const jobId = (process: string, path: string, attempt: number): string =>
  derivedUuid('job', process, path, attempt);
export const incidentId = (process: string, version: number, path: string): string =>
  `${process}.${derivedUuid('incident', process, version, path).slice(0, 13)}`;

/** The same for all executions of one (process, path, iteration, round). */
export const idempotencyKey = (process: string, path: string, iteration: number, round: number): string =>
  `${process}:${path}#${iteration}.${round}`;
