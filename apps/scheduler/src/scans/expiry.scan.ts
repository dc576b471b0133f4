import type { PostgresInbox } from '@baton/bus';
import type { MessageStore, RequestStore } from '@baton/event-log';

const batch = 5_000;

/** Removes what nobody can ask for any more, in batches: messages, idempotency keys, inbox rows. */
export class ExpiryScan {
  constructor(
    private readonly options: {
      messages: Pick<MessageStore, 'removeExpired'>;
      requests: Pick<RequestStore, 'removeExpiredKeys'>;
      inbox: Pick<PostgresInbox, 'removeOlderThan'>;
      /** Longer than any subscriber may be behind. */
      inboxDays: number;
    },
  ) {}

  /** 'again': a batch was full. */
  async run(): Promise<'again' | undefined> {
    const { messages, requests, inbox, inboxDays } = this.options;
    const removed = [await messages.removeExpired(batch), await inbox.removeOlderThan(inboxDays, batch)];
    await requests.removeExpiredKeys();
    return removed.some((count) => count >= batch) ? 'again' : undefined;
  }
}
