import { createHash } from 'node:crypto';
import type { MessageAccepted } from '@baton/contracts';
import { type CommandHandler, uuidv7 } from '@baton/event-log';
import type { Json } from '@baton/process';
import type { Caller } from '../http/caller.types.js';
import { doneOrThrow } from '../http/refusals.js';

/** Messages by correlation key: the oldest waiting receiver takes it, or it is kept until one waits. */
export interface KeyedMessages {
  send(message: { id: string; name: string; key: string; payload: Json }): Promise<{ deliveredTo: string | null }>;
}

/** Messages to a process, or to whoever waits for a key. With an Idempotency-Key a message is taken once. */
export class MessageSender {
  constructor(
    private readonly commands: Pick<CommandHandler, 'handle'>,
    private readonly keyed: KeyedMessages,
  ) {}

  async toProcess(process: string, name: string, payload: Json, caller: Caller): Promise<MessageAccepted> {
    const id = messageId(caller, process);
    const command = { kind: 'receiveMessage' as const, messageId: id, name, payload };
    const result = await this.commands.handle(process, command, { actor: caller.id, causation: id });
    const repeated = result.status === 'refused' && result.refusal.code === 'already-done';
    if (!repeated) doneOrThrow(result, process);
    return { id, delivered: process };
  }

  async byKey(name: string, key: string, payload: Json, caller: Caller): Promise<MessageAccepted> {
    const id = messageId(caller, `${name}/${key}`);
    const { deliveredTo } = await this.keyed.send({ id, name, key, payload });
    return { id, delivered: deliveredTo };
  }
}

function messageId(caller: Caller, to: string): string {
  if (caller.idempotencyKey === null) return uuidv7();
  const text = JSON.stringify([caller.id, caller.idempotencyKey, to]);
  return `k-${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}
