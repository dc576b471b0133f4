import { createHash } from 'node:crypto';
import {
  type BusEvent,
  type DeadLetter,
  type DeadLetters,
  keptRecord,
  type Logger,
  type Meter,
  recordKept,
  type TopicRecord,
} from '@baton/bus';
import { deadLetterHeaders, type Problem, problem, restOperations } from '@baton/contracts';
import type { JsonObject } from '@baton/process';
import { type Authentication, mayCall, type Principal } from '@baton/security';
import type { Caller } from '../../http/caller.types.js';
import { isDatabaseAway } from '../../http/database-away.js';
import type { RequestAcceptor } from '../request.acceptor.js';
import { type RequestEvent, readRequest } from './request.event.js';
import { TokenMask } from './token.mask.js';

export const requestSubscriber = 'request-topic';

/** As whom the topic itself asks. */
export interface RequestAccount {
  name: string;
  role: Principal['role'];
  groups: string[];
}

export interface RequestConsumerOptions {
  requests: Pick<RequestAcceptor, 'acceptOne'>;
  tokens: { verify(token: string): Promise<Authentication> };
  account(): RequestAccount | null;
  deadLetters: DeadLetters;
  logger: Logger;
  meter: Pick<Meter, 'count'>;
}

const attempts = 3;

/**
 * Job: takes process requests from a topic.
 * Boundary: what a request must be and how a process begins are the acceptor's, as for HTTP; moving the offset is the
 * consumer's, after the answer.
 * Invariants:
 * 1. An event (source, id) starts one process, however often it is delivered: it is its idempotency key.
 * 2. What cannot be accepted becomes a dead letter with the reason, acknowledged before the answer; nothing is lost.
 * 3. A database that is away is waited for: it makes no dead letter.
 * 4. Nobody asks unknown: a token that holds, or the account that the cluster names for the topic.
 * 5. A token is written nowhere: not to a dead letter, a log or an event.
 * 6. What is replayed asks as the account that the cluster names for the topic now, or not at all; what brought a token
 *    is not replayed, for the token is gone.
 */
export class RequestConsumer {
  constructor(private readonly options: RequestConsumerOptions) {}

  /** Rejects when they must be had again. */
  async take(records: readonly TopicRecord[]): Promise<void> {
    const results = await Promise.allSettled(records.map((record) => this.#take(record)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** A dead letter once more; what it failed with, or null. A database that is away is thrown. */
  async replay(letter: Pick<BusEvent, 'data'>): Promise<string | null> {
    const { data } = letter;
    if (typeof data === 'object' && data !== null && 'broughtToken' in data && data.broughtToken === true)
      return 'It brought a token, which is stored nowhere: send it again, with a token that holds.';
    const record = recordKept(data);
    if (record === null) return 'It was not kept with its dead letter: send it again.';
    const read = readRequest(record);
    const mask = new TokenMask(null);
    const found = 'problem' in read ? read.problem : await this.#accepted(read.event, null, record, mask);
    this.options.meter.count('baton.requests.from-topic', 1, { outcome: found === null ? 'accepted' : 'refused' });
    return (
      found && mask.text([found.title, found.detail, found.remedy].filter((part) => part !== undefined).join(': '))
    );
  }

  async #take(record: TopicRecord): Promise<void> {
    const { meter, logger } = this.options;
    const read = readRequest(record);
    const mask = new TokenMask(read.token);
    const { topic, partition, offset } = record;
    const found = 'problem' in read ? read.problem : await this.#accepted(read.event, read.token, record, mask);
    if (found === null) {
      meter.count('baton.requests.from-topic', 1, { outcome: 'accepted' });
      return;
    }
    await this.#bury(record, mask, found, read.token !== null);
    meter.count('baton.requests.from-topic', 1, { outcome: 'refused' });
    const detail = mask.text(found.detail ?? found.title);
    logger.warn({ topic, partition, offset, problem: found.type }, `a request of the topic is refused: ${detail}`);
  }

  /** Null: a process stands for it. */
  async #accepted(
    event: RequestEvent,
    token: string | null,
    record: TopicRecord,
    mask: TokenMask,
  ): Promise<Problem | null> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const principal = await this.#principal(token);
        if (!('role' in principal)) return principal;
        const accepted = await this.options.requests.acceptOne(event.request, callerOf(principal, event), {
          trigger: triggerOf(event, record),
        });
        return 'problem' in accepted ? accepted.problem : null;
      } catch (error) {
        if (isAway(error)) throw error;
        const { topic, partition, offset } = record;
        const said = mask.text(error instanceof Error ? (error.stack ?? error.message) : String(error));
        this.options.logger.error({ topic, partition, offset, attempt, error: said }, 'a request could not be taken');
        if (attempt >= attempts)
          return problem('unexpected', 'the server met something it did not expect; it is in its log');
      }
    }
  }

  async #principal(token: string | null): Promise<Principal | Problem> {
    const { tokens, account } = this.options;
    const needed = restOperations.createRequests.role;
    let principal: Principal;
    if (token === null) {
      const own = account();
      if (own === null) {
        return problem('unauthenticated', 'the event brings no token, and the topic has no account of its own', {
          remedy: 'send a token in the extension batontoken, or set bus.requestAccount',
        });
      }
      principal = { id: own.name, role: own.role, groups: own.groups };
    } else {
      const result = await tokens.verify(token);
      if ('refused' in result) {
        return problem('unauthenticated', `the token is ${result.refused}`, {
          remedy: 'send one that holds: baton token create',
        });
      }
      principal = result.principal;
    }
    if (mayCall(principal.role, needed)) return principal;
    return problem('not-allowed', `this takes the role ${needed}; ${principal.id} has ${principal.role}`, {
      remedy: `use a token of role ${needed} or above`,
    });
  }

  async #bury(record: TopicRecord, mask: TokenMask, found: Problem, broughtToken: boolean): Promise<void> {
    const { topic, partition, offset } = record;
    const original = mask.record(record);
    const told = mask.text(JSON.stringify(found));
    const reason = mask.text([found.title, found.detail].filter((part) => part !== undefined).join(': '));
    const letter: DeadLetter = {
      subscriber: requestSubscriber,
      event: {
        name: 'request',
        id: idOf(`${topic}/${partition}/${offset}@${record.timestamp}`),
        type: 'request',
        schemaVersion: 1,
        subject: plain(original.key),
        sequence: 0,
        time: record.timestamp,
        source: '',
        data: { problem: JSON.parse(told) as unknown, broughtToken, record: keptRecord(record, original) },
      },
      origin: { transport: 'kafka', topic, partition, offset },
      reason,
      attempts: 1,
      original: {
        ...original,
        headers: { ...original.headers, [deadLetterHeaders.problem]: told.slice(0, longestProblem) },
      },
    };
    await this.options.deadLetters.put(letter);
  }
}

const longestProblem = 32 * 1024;

function callerOf(principal: Principal, { source, id, traceparent }: RequestEvent): Caller {
  return { ...principal, address: null, idempotencyKey: `event:${idOf(JSON.stringify([source, id]))}`, traceparent };
}

function triggerOf({ source, id }: RequestEvent, { topic, partition, offset }: TopicRecord): JsonObject {
  return { type: 'topic', topic, partition, offset: Number(offset), source, id };
}

/** A UUID that follows from the text. */
function idOf(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

function plain(key: Buffer | string | null): string {
  return (key ?? '').toString().replaceAll('\0', '');
}

/** In doubt, away, or with another timeline: what it was before is not known, and soon it goes on. */
function isAway(error: unknown): boolean {
  return isDatabaseAway(error) || (error instanceof Error && error.name === 'LogUnavailable');
}
