import { z } from 'zod';

/** Inbound: CloudEvents that ask for a process. */
export const requestTopic = 'baton.request';
/** What could not be handled, with where it stood and the reason. */
export const deadLetterTopic = 'baton.dead-letter';

/** A record longer than this carries a reference instead of its data. */
export const recordBytes = 256 * 1024;

/**
 * The data of a record that would be too long (claim check): where to get it. The record has the header `ce_dataref`
 * (the CloudEvents extension `dataref`) with the same address; only with that header is its data a reference.
 */
export const dataReferenceSchema = z.object({
  reference: z.object({
    href: z.string().describe('GET it from the REST API: the event is the only item of the page'),
    bytes: z.number().int().describe('of the data as JSON'),
  }),
});
export type DataReference = z.infer<typeof dataReferenceSchema>;

/** Where the REST API has one event of a process. */
export function eventReference(process: string, sequence: number): string {
  return `/v1/processes/${encodeURIComponent(process)}/events?after=${sequence - 1}&limit=1`;
}

/** Headers of a record of `baton.dead-letter`, beside those of the original; key and value are the original's. */
export const deadLetterHeaders = {
  topic: 'baton_topic',
  partition: 'baton_partition',
  offset: 'baton_offset',
  /** Who could not handle it. */
  subscriber: 'baton_subscriber',
  reason: 'baton_reason',
  attempts: 'baton_attempts',
  failedAt: 'baton_failed_at',
  /** Of a refused request: the problem details, as REST would have answered them. */
  problem: 'baton_problem',
  /** Bytes of an original value that was too long to be repeated: it stands where topic, partition and offset say. */
  omittedBytes: 'baton_omitted_bytes',
} as const;
