import { createHash } from 'node:crypto';
import {
  type CheckedProcessRequest,
  type FieldError,
  type Problem,
  problem,
  processRequestSchema,
  type RequestAccepted,
} from '@baton/contracts';
import { type CreateResult, type NewProcess, newProcessId, uuidv7, type WakeUp } from '@baton/event-log';
import type { Json, JsonObject } from '@baton/process';
import type { Caller } from '../http/caller.types.js';
import { check, summaryOf } from '../http/input.reader.js';
import { canonicalJson } from './canonical.json.js';
import type { CreationBatcher } from './creation.batcher.js';
import type { RequestChecker } from './request.checker.js';

export type Accepted = { accepted: RequestAccepted } | { problem: Problem };

interface Refused {
  problem: Problem;
  key: string | null;
  bodyDigest: string;
}
/** Answers that were given under a key. */
export interface GivenAnswers {
  find(principal: string, keys: readonly string[]): Promise<Map<string, { bodyDigest: string; answer: Json }>>;
}

/** Takes process requests: checked, in the log, and only then answered. */
export class RequestAcceptor {
  constructor(
    private readonly checker: RequestChecker,
    private readonly batcher: CreationBatcher,
    private readonly answers: GivenAnswers,
    private readonly clock: { now(): number },
    private readonly wakeUp: Pick<WakeUp, 'notify'>,
    private readonly cell: string,
  ) {}

  /** `trigger`: what asked, where it was not a person or program over HTTP; the process can read it. */
  async acceptOne(
    request: CheckedProcessRequest,
    caller: Caller,
    more: { trigger?: JsonObject } = {},
  ): Promise<Accepted> {
    const made = await this.#make(request, caller, caller.idempotencyKey, more.trigger);
    if ('problem' in made) return (await this.#answeredBefore([made], caller))[0]!;
    const result = await this.batcher.create(made);
    if (result.status === 'created') this.wakeUp.notify('queue');
    return acceptedOf(result);
  }

  /** Each for itself: what became of it, in order. All that are good share a commit, also with those of other callers. */
  async acceptMany(items: readonly unknown[], caller: Caller): Promise<Accepted[]> {
    const made = await Promise.all(items.map((item, at) => this.#makeItem(item, at, caller)));
    const good = made.filter((item): item is NewProcess => !('problem' in item));
    const results = await Promise.all(good.map((item) => this.batcher.create(item)));
    if (results.some((result) => result.status === 'created')) this.wakeUp.notify('queue');
    const refused = made.filter((item): item is Refused => 'problem' in item);
    const answered = await this.#answeredBefore(refused, caller);
    let nextGood = 0;
    let nextRefused = 0;
    return made.map((item) => ('problem' in item ? answered[nextRefused++]! : acceptedOf(results[nextGood++]!)));
  }

  /**
   * What is refused now may have been accepted under its key before (a newer version takes other inputs, an environment
   * is gone): the same key and body get the same answer, whatever has changed since.
   */
  async #answeredBefore(refused: readonly Refused[], caller: Caller): Promise<Accepted[]> {
    const keys = refused.flatMap((item) => (item.key === null ? [] : [item.key]));
    if (keys.length === 0) return refused.map(({ problem: found }) => ({ problem: found }));
    const given = await this.answers.find(caller.id, keys);
    return refused.map(({ problem: found, key, bodyDigest }) => {
      const before = key === null ? undefined : given.get(key);
      if (!before) return { problem: found };
      const same = before.bodyDigest === bodyDigest;
      return acceptedOf(same ? { status: 'repeated', answer: before.answer } : { status: 'key-reused' });
    });
  }

  #makeItem(item: unknown, at: number, caller: Caller): Promise<NewProcess | Refused> {
    const errors: FieldError[] = [];
    const request = check(processRequestSchema, item, '', errors) as CheckedProcessRequest;
    if (errors.length > 0) {
      const found = problem('invalid', summaryOf(errors), { errors });
      return Promise.resolve({ problem: found, key: null, bodyDigest: '' });
    }
    const key = caller.idempotencyKey === null ? null : `${caller.idempotencyKey}/${at}`;
    return this.#make(request, caller, key);
  }

  async #make(
    request: CheckedProcessRequest,
    caller: Caller,
    key: string | null,
    trigger?: JsonObject,
  ): Promise<NewProcess | Refused> {
    const id = newProcessId(this.cell);
    const requester = { id: caller.id, groups: caller.groups };
    const checked = await this.checker.check(request, id, requester, this.clock.now());
    const bodyDigest = key === null ? '' : digestOf(request);
    if ('problem' in checked) return { problem: checked.problem, key, bodyDigest };
    const { traceparent, tracestate } = caller;
    const metadata = {
      actor: caller.id,
      ...(traceparent ? { traceparent } : {}),
      ...(traceparent && tracestate ? { tracestate } : {}),
    };
    const event = { type: 'ProcessRequested' as const, data: { ...checked.requested, ...(trigger && { trigger }) } };
    return {
      stream: id,
      events: [{ id: uuidv7(), event, metadata }],
      answer: { id, status: 'requested' },
      ...(key === null ? {} : { key: { principal: caller.id, key, bodyDigest } }),
    };
  }
}

/** Of what was asked, not of how it was written: spaces and the order of names make no other request. */
function digestOf(request: CheckedProcessRequest): string {
  return createHash('sha256')
    .update(canonicalJson({ ...request }))
    .digest('hex');
}

function acceptedOf(result: CreateResult): Accepted {
  switch (result.status) {
    case 'created':
    case 'repeated':
      return { accepted: result.answer as RequestAccepted };
    case 'key-reused': {
      const detail = 'this Idempotency-Key came before with another body';
      return { problem: problem('key-reused', detail, { remedy: 'use a new key for a new request' }) };
    }
    case 'bad': {
      const detail = `the request cannot be stored (${result.code}): ${result.message}`;
      return { problem: problem('invalid', detail, { remedy: 'look for unusual characters or sizes in the inputs' }) };
    }
  }
}
