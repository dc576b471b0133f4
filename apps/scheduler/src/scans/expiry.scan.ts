import type { ArtifactStore } from '@baton/artifacts';
import type { PostgresDeadLetters, PostgresInbox } from '@baton/bus';
import type { MessageStore, PostgresClusterEvents, RequestStore, TopicStore } from '@baton/event-log';

const batch = 5_000;
/** An upload writes piece by piece; one that has stood still for so long was left by a crash. */
const unfinishedForMs = 3_600_000;

/**
 * Removes what nobody can ask for any more, in batches: messages, idempotency keys, inbox rows, dead letters that were
 * handled after all, events of servers that are long gone, uploads that a crash cut.
 */
export class ExpiryScan {
  constructor(
    private readonly options: {
      messages: Pick<MessageStore, 'removeExpired'>;
      records: Pick<TopicStore, 'removeExpired'>;
      requests: Pick<RequestStore, 'removeExpiredKeys'>;
      inbox: Pick<PostgresInbox, 'removeOlderThan'>;
      deadLetters: Pick<PostgresDeadLetters, 'removeReplayed'>;
      clusterEvents: Pick<PostgresClusterEvents, 'removeOlderThan'>;
      artifacts: Pick<ArtifactStore, 'collect'>;
      /** By the settings of the cluster. */
      deadLetterDays(): number;
      clusterEventDays(): number;
      /** Longer than any subscriber may be behind. */
      inboxDays: number;
    },
  ) {}

  /** 'again': a batch was full. */
  async run(): Promise<'again' | undefined> {
    const { messages, records, requests, inbox, deadLetters, clusterEvents, artifacts, inboxDays } = this.options;
    const removed = [
      await messages.removeExpired(batch),
      await records.removeExpired(batch),
      await inbox.removeOlderThan(inboxDays, batch),
      await deadLetters.removeReplayed(this.options.deadLetterDays(), batch),
      await clusterEvents.removeOlderThan(this.options.clusterEventDays(), batch),
    ];
    await requests.removeExpiredKeys();
    await artifacts.collect(unfinishedForMs);
    return removed.some((count) => count >= batch) ? 'again' : undefined;
  }
}
