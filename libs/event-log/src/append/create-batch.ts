import type { CellIds } from '../process-id.js';
import type { NewProcess } from '../requests.port.js';
import { createProcesses } from '../sql/create-processes.sql.js';
import { eventColumns, type Statement } from './append-batch.js';
import { int2Array, int4Array, jsonbArray, textArray, uuidArray } from './binary-arrays.js';
import { changesWaits, type NetChange, netChangeOf } from './net-change.js';

/** Builds the one statement that creates these processes and keeps their keys. */
export function createStatement(requests: readonly NewProcess[], ids: CellIds): Statement {
  const streams = requests.map(({ stream }) => ids.mustUuid(stream));
  const queued = requests.map((request) => placeInQueue(request));
  const { keys, answers } = keyColumns(requests);
  return {
    name: 'create_processes',
    text: createProcesses,
    values: [
      uuidArray(streams),
      int4Array(requests.map(({ events }) => events.length)),
      int2Array(queued.map(({ priority }) => priority)),
      queued.map(({ notBefore }) => notBefore),
      textArray(queued.map(({ key }) => key)),
      queued.map(({ limit }) => limit),
      textArray(queued.map(({ onLimit }) => onLimit)),
      ...keys.map(textArray),
      jsonbArray(answers),
      ...eventColumns(
        requests.map(({ stream, events }) => ({ stream, expected: 'none', events })),
        streams,
      ),
    ],
  };
}

/** A request leads into the queue and nowhere else: what more an event changes, this statement does not write. */
function placeInQueue({ stream, events }: NewProcess): Exclude<NonNullable<NetChange['queue']>, 'delete'> {
  const net = netChangeOf(events.map(({ event }) => event));
  const { queue, owner = null, runnableAt = null, child, claimsAdded } = net;
  const isPlain = owner === null && runnableAt === null && child === undefined && claimsAdded === 0;
  if (queue === undefined || queue === 'delete' || !isPlain || changesWaits(net))
    throw new Error(`Expected the request of ${stream} to put it into the queue and to change nothing else.`);
  return queue;
}

function keyColumns(requests: readonly NewProcess[]): { keys: (string | null)[][]; answers: (string | null)[] } {
  const column = (of: (key: NonNullable<NewProcess['key']>) => string) =>
    requests.map(({ key }) => (key === undefined ? null : of(key)));
  return {
    keys: [column((key) => key.principal), column((key) => key.key), column((key) => key.bodyDigest)],
    answers: requests.map(({ key, answer }) => (key === undefined ? null : JSON.stringify(answer))),
  };
}
