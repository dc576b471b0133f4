import type { CommandHandler, Delivery, MessageStore } from '@baton/event-log';
import type { Json } from '@baton/process';
import type { KeyedMessages } from './message.sender.js';

const dayMs = 86_400_000;

/**
 * Keeps a message and gives it to the oldest receiver that waits for its name and key, if one waits now.
 * What is left between (a crash, a receiver that starts later) the scheduler's scan matches again.
 */
export class MessageMatcher implements KeyedMessages {
  constructor(
    private readonly store: MessageStore,
    private readonly commands: Pick<CommandHandler, 'handle'>,
    private readonly keepDays: () => number,
  ) {}

  async send(message: {
    id: string;
    name: string;
    key: string;
    payload: Json;
  }): Promise<{ deliveredTo: string | null }> {
    await this.store.post({ ...message, keepMs: this.keepDays() * dayMs });
    let deliveredTo: string | null = null;
    for (const delivery of await this.store.match(100)) {
      const taken = await this.#deliver(delivery);
      if (taken && delivery.id === message.id && delivery.key === message.key) deliveredTo = delivery.stream;
    }
    return { deliveredTo };
  }

  async #deliver(delivery: Delivery): Promise<boolean> {
    const { id, name, key, path, payload, stream } = delivery;
    const command = { kind: 'receiveMessage' as const, messageId: id, name, key, path, payload };
    const result = await this.commands.handle(stream, command, { causation: id });
    const taken = result.status === 'done' || (result.status === 'refused' && result.refusal.code === 'already-done');
    if (taken) await this.store.delivered(delivery);
    else await this.store.giveBack(delivery);
    return taken;
  }
}
