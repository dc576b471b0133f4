import type { BusRepublish, BusStatus, DeadLetter, DeadLetterPage, Republish } from '@baton/contracts';
import type { LogPool } from '../bus.ports.js';
import { publisherSubscriber } from '../publisher/publisher.js';
import {
  addRepublish,
  findDeadLetter,
  listDeadLetters,
  listRepublish,
  requestReplay,
  subscriberLags,
} from './bus-operations.sql.js';
import type { ToldStatus } from './status-teller.js';

interface LetterRow {
  id: string;
  subscriber: string;
  event_id: string;
  type: string;
  subject: string;
  reason: string;
  attempts: number;
  failed_at: Date;
  origin: Record<string, unknown>;
  replay_requested_at: Date | null;
  replayed_at: Date | null;
  replay_error: string | null;
}
interface JobRow {
  id: string;
  requested_by: string;
  requested_at: Date;
  finished_at: Date | null;
  progress: { published?: number } | null;
  error: string | null;
}

const mostCounted = 100_000;
const cursorForm = /^(\d{1,12}\.\d{1,6})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What `baton bus` shows and asks for. It reads the log's database alone, so it answers while Kafka is away. */
export class BusOperations {
  constructor(private readonly pool: LogPool) {}

  async status(): Promise<BusStatus> {
    const [told, lags, letters, jobs] = await Promise.all([
      this.pool.query<{ status: ToldStatus; told_at: Date }>(
        "select status, told_at from bus_status where name = 'bus'",
      ),
      this.pool.query<{ subscriber: string; moved_at: Date; events: number; seconds: number }>(subscriberLags, [
        mostCounted,
      ]),
      this.pool.query<{ n: number }>('select count(*)::int as n from bus_dead_letter where replayed_at is null'),
      this.pool.query<JobRow>(listRepublish, [null]),
    ]);
    const row = told.rows[0];
    const publishing = lags.rows.find(({ subscriber }) => subscriber === publisherSubscriber);
    const kafka = row?.status.kafka;
    return {
      transport: row?.status.transport ?? 'embedded',
      toldAt: row?.told_at.toISOString() ?? null,
      publisher: kafka
        ? {
            holder: kafka.holder,
            clusterId: kafka.clusterId,
            lagEvents: publishing?.events ?? 0,
            lagSeconds: publishing?.seconds ?? 0,
            checkpointAt: publishing?.moved_at.toISOString() ?? null,
            error: kafka.error,
            republished: kafka.republished,
          }
        : null,
      subscribers: [
        ...lags.rows
          .filter(({ subscriber }) => subscriber !== publisherSubscriber)
          .map(({ subscriber, events, seconds }) => ({
            name: subscriber,
            reads: 'log',
            lagEvents: events,
            lagSeconds: seconds,
          })),
        ...(kafka?.groups ?? []).map(({ group, topic, lag }) => ({
          name: group,
          reads: topic,
          lagEvents: lag,
          lagSeconds: null,
        })),
      ],
      deadLetters: letters.rows[0]?.n ?? 0,
      republishing: jobs.rows.map(republishOf),
    };
  }

  /** Null: `after` is no cursor of this list. */
  async deadLetters(query: {
    subscriber?: string | undefined;
    after?: string | undefined;
    limit: number;
  }): Promise<DeadLetterPage | null> {
    const { subscriber = null, after, limit } = query;
    const cursor = after === undefined ? [null, null] : cursorForm.exec(after)?.slice(1);
    if (cursor === undefined) return null;
    const { rows } = await this.pool.query<LetterRow & { cursor: string }>(listDeadLetters, [
      subscriber,
      ...cursor,
      limit + 1,
    ]);
    const last = rows[limit - 1];
    const next = rows.length > limit && last ? `${last.cursor}_${last.id}` : null;
    return { items: rows.slice(0, limit).map(letterOf), next };
  }

  async deadLetter(id: string): Promise<DeadLetter | null> {
    const { rows } = await this.pool.query<LetterRow>(findDeadLetter, [id]);
    return rows[0] ? letterOf(rows[0]) : null;
  }

  /** Null: there is none, or it was delivered meanwhile. */
  async replay(id: string, by: string): Promise<DeadLetter | null> {
    const { rows } = await this.pool.query<LetterRow>(requestReplay, [id, by]);
    return rows[0] ? letterOf(rows[0]) : null;
  }

  async replayAll(by: string): Promise<number> {
    const { rowCount } = await this.pool.query(requestReplay, [null, by]);
    return rowCount ?? 0;
  }

  /** 'embedded': there are no topics. */
  async republish(range: Republish, by: string): Promise<BusRepublish | 'embedded'> {
    const { rows: told } = await this.pool.query<{ status: ToldStatus }>(
      "select status from bus_status where name = 'bus'",
    );
    if (told[0]?.status.transport !== 'kafka') return 'embedded';
    const { rows } = await this.pool.query<JobRow>(addRepublish, [by, JSON.stringify(range)]);
    return republishOf(rows[0]!);
  }

  async republishing(id: string): Promise<BusRepublish | null> {
    const { rows } = await this.pool.query<JobRow>(listRepublish, [id]);
    return rows[0] ? republishOf(rows[0]) : null;
  }
}

function letterOf(row: LetterRow): DeadLetter {
  return {
    id: row.id,
    subscriber: row.subscriber,
    eventId: row.event_id,
    type: row.type,
    subject: row.subject,
    reason: row.reason,
    attempts: row.attempts,
    failedAt: row.failed_at.toISOString(),
    origin: row.origin,
    replayRequestedAt: row.replay_requested_at?.toISOString() ?? null,
    replayedAt: row.replayed_at?.toISOString() ?? null,
    replayError: row.replay_error,
  };
}

function republishOf(row: JobRow): BusRepublish {
  return {
    id: row.id,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    published: row.progress?.published ?? 0,
    error: row.error,
  };
}
