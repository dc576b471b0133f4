import type { CommandHandler, Delivery, MessageStore } from '@baton/event-log';
import type { Logger, Meter } from '../scheduler.ports.js';

/**
 * Messages that wait and receivers that wait for them (design 1, `receive`): matched by the store, which claims each
 * message for one receiver, and delivered to its process.
 * Invariants: 1. delivered is marked after the process's stream holds the message; 2. delivering twice changes nothing,
 * the process drops what it knows; 3. a receiver that wants it no more gives it back to the next.
 */
export class MessageScan {
  constructor(
    private readonly options: {
      messages: Pick<MessageStore, 'match' | 'delivered' | 'giveBack'>;
      commands: Pick<CommandHandler, 'handle'>;
      logger: Logger;
      meter: Meter;
    },
  ) {}

  /** How many were delivered. */
  async run(): Promise<number> {
    let delivered = 0;
    for (const delivery of await this.options.messages.match(200)) {
      try {
        if (await this.#deliver(delivery)) delivered += 1;
      } catch (error) {
        this.options.logger.warn({ err: error, process: delivery.stream }, 'a message could not be delivered');
      }
    }
    return delivered;
  }

  async #deliver(delivery: Delivery): Promise<boolean> {
    const { messages, commands, meter } = this.options;
    const { id, name, key, path, payload, stream } = delivery;
    const command = { kind: 'receiveMessage' as const, messageId: id, name, key, path, payload };
    const result = await commands.handle(stream, command, { causation: id });
    if (result.status === 'done' || (result.status === 'refused' && result.refusal.code === 'already-done')) {
      await messages.delivered(delivery);
      meter.count('baton.scheduler.messages-delivered');
      return true;
    }
    await messages.giveBack(delivery);
    return false;
  }
}
