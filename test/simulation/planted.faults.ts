import type { Append, EventLog, MemoryCell } from '@baton/event-log';
import type { Appends, ExecutorPorts } from '../../apps/executor/src/executor.ports.js';

type ExecutorAppender = Appends & { stop(): void };

/** A fault of the protocol, planted at one of the executor's ports: the simulation must find it (design 6). */
export interface PlantedFault {
  name: string;
  log?(log: EventLog, cell: MemoryCell): EventLog;
  appender?(appender: ExecutorAppender, cell: MemoryCell): ExecutorAppender;
  ports?(ports: ExecutorPorts, cell: MemoryCell): ExecutorPorts;
}

function versionNow(cell: MemoryCell, stream: string): number {
  return cell.state.streams.get(stream)?.head.version ?? 0;
}

/** The append as its planted change makes it, at the moment when the database executes it. */
function changing(log: EventLog, change: (append: Append) => Append): EventLog {
  return { ...log, appendEach: (appends) => log.appendEach(appends.map(change)) };
}

function changingAppender(appender: ExecutorAppender, change: (append: Append) => Append): ExecutorAppender {
  return { append: (append) => appender.append(change(append)), stop: () => appender.stop() };
}

export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'no owner check',
    log: (log) => ({
      ...changing(log, ({ owner: _, ...append }) => append),
      // What a driver without an owner check believes: the process is still its own.
      heads: async (streams) => log.heads(streams),
    }),
    ports: (ports) => {
      let me = '';
      return {
        ...ports,
        registry: {
          ...ports.registry,
          join: (row) => {
            me = row.id;
            return ports.registry.join(row);
          },
        },
        log: {
          ...ports.log,
          heads: async (streams) => {
            const heads = await ports.log.heads(streams);
            for (const head of heads.values()) head.owner = me;
            return heads;
          },
        },
      };
    },
  },
  {
    name: 'no version check',
    ports: (ports, cell) => {
      cell.state.faults.versionCheckOff = true;
      return ports;
    },
  },
  {
    name: 'an effect before its start is committed',
    appender: (appender, cell) => ({
      append: (append) => {
        const result = appender.append(append);
        const startsEffect = append.events.some(
          ({ event }) => event.type === 'OperatorStarted' && event.data.class === 'effect',
        );
        if (!startsEffect || append.expected === 'none') return result;
        result.catch(() => undefined);
        const recordedAt = new Date(cell.state.now()).toISOString();
        return Promise.resolve({ status: 'appended', version: append.expected + append.events.length, recordedAt });
      },
      stop: () => appender.stop(),
    }),
  },
  {
    name: 'parking without the version',
    log: (log, cell) =>
      changing(log, (append) =>
        append.events.at(-1)?.event.type === 'ProcessParked' && append.expected !== 'none'
          ? { ...append, expected: Math.max(1, versionNow(cell, append.stream)) }
          : append,
      ),
  },
  {
    name: 'a lost timer',
    appender: (appender) =>
      changingAppender(appender, (append) => ({
        ...append,
        events: append.events.map((item) =>
          item.event.type === 'ProcessParked'
            ? { ...item, event: { ...item.event, data: { ...item.event.data, dueAt: null } } }
            : item,
        ),
      })),
  },
  {
    name: 'a blind claim',
    appender: (appender, cell) =>
      changingAppender(appender, ({ owner, ...append }) => {
        if (owner !== null || append.expected === 'none') return owner === undefined ? append : { ...append, owner };
        return { ...append, expected: Math.max(append.expected, versionNow(cell, append.stream)) };
      }),
  },
  {
    name: 'a second completion',
    appender: (appender, cell) => ({
      append: async (append) => {
        const result = await appender.append(append);
        const completes = append.events.some(({ event }) => event.type === 'OperatorCompleted');
        if (result.status !== 'refused' || !completes || append.expected === 'none') return result;
        // Takes every refusal for a matter of the version, and sends the same completion behind whatever came first.
        return appender.append({ ...append, expected: versionNow(cell, append.stream) });
      },
      stop: () => appender.stop(),
    }),
  },
  {
    name: 'takeover before proof',
    ports: (ports) => ({
      ...ports,
      registry: {
        ...ports.registry,
        provenOver: async (ids) => new Set(ids),
        detectLost: async (me, judges) =>
          (await ports.registry.detectLost(me, judges)).map(({ id }) => ({ id, proof: 'lease' })),
      },
    }),
  },
  {
    name: "a lost child's end",
    ports: (ports) => ({
      ...ports,
      commands: {
        ...ports.commands,
        handle: async (stream, command, causation) =>
          command.kind === 'endChild' ? undefined : ports.commands.handle(stream, command, causation),
      },
    }),
  },
  {
    name: 'an unknown outcome taken for a known failure',
    ports: (ports) => ({
      ...ports,
      effects: {
        run: async (effect, process, signal, guard) => {
          const outcome = await ports.effects.run(effect, process, signal, guard);
          if (outcome.result.status !== 'unknown') return outcome;
          return {
            ...outcome,
            result: { status: 'failed', error: { code: 'connection', message: outcome.result.reason } },
          };
        },
      },
    }),
  },
];
