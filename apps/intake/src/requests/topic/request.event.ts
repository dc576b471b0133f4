import type { TopicRecord } from '@baton/bus';
import {
  type CheckedProcessRequest,
  type FieldError,
  type JsonRecord,
  type JsonValue,
  type Problem,
  problem,
  requestEventAttributesSchema,
  requestEventDataSchema,
  requestTokenExtension,
} from '@baton/contracts';
import { check, summaryOf } from '../../http/input.reader.js';
import { jsonOf } from '../../http/json.body.js';
import { ProblemError } from '../../http/problem.error.js';

/** A wish for a process, as a record of the request topic brought it. */
export interface RequestEvent {
  id: string;
  source: string;
  traceparent: string | null;
  request: CheckedProcessRequest;
}

export type ReadRequest = { token: string | null } & ({ event: RequestEvent } | { problem: Problem });

const structured = /^application\/cloudevents\+json\b/i;
const batch = /^application\/cloudevents-batch/i;
const tracecontext = /^[0-9a-f]{2}(-[0-9a-f]+){3}$/;

/** Reads a CloudEvent in binary or structured mode. The token is told also of one that is refused: it must be masked. */
export function readRequest(record: TopicRecord): ReadRequest {
  const headers = lowerCased(record.headers);
  const inBinary = attributesOf(headers);
  const written = inBinary[requestTokenExtension] ?? null;
  let token = typeof written === 'string' ? written : null;
  try {
    const type = headers['content-type'] ?? '';
    if (batch.test(type))
      return { token, problem: malformed('a batch of CloudEvents is not taken: one event a record') };
    let attributes: JsonRecord = inBinary;
    let data: JsonValue | undefined;
    if (structured.test(type)) {
      const event = jsonOf(record.value ?? new Uint8Array());
      if (!isRecord(event)) return { token, problem: malformed('the value is no CloudEvent: it is no JSON object') };
      attributes = event;
      const inEvent = event[requestTokenExtension];
      token = typeof inEvent === 'string' ? inEvent : null;
      data = dataOf(event);
    } else if (Object.keys(inBinary).length === 0) {
      return {
        token,
        problem: malformed(
          'the record is no CloudEvent: it has neither headers ce_id, ce_source, … nor the content-type application/cloudevents+json',
        ),
      };
    }
    const errors: FieldError[] = [];
    const checked = check(requestEventAttributesSchema, attributes, '', errors);
    // What stands around the request is wrong: there is no use in looking into it.
    if (errors.length > 0) return { token, problem: problem('invalid', summaryOf(errors), { errors }) };
    if (!structured.test(type)) data = jsonOf(record.value ?? new Uint8Array());
    const request = check(requestEventDataSchema, data, '', errors) as CheckedProcessRequest;
    if (errors.length > 0) return { token, problem: problem('invalid', summaryOf(errors), { errors }) };
    const { id, source } = checked as { id: string; source: string };
    const trace = headers['traceparent'] ?? attributes['traceparent'];
    const traceparent = typeof trace === 'string' && tracecontext.test(trace) ? trace : null;
    return { token, event: { id, source, traceparent, request } };
  } catch (error) {
    if (error instanceof ProblemError) return { token, problem: error.problem };
    throw error;
  }
}

function attributesOf(headers: Record<string, string>): JsonRecord {
  const attributes: JsonRecord = {};
  for (const [name, text] of Object.entries(headers)) if (name.startsWith('ce_')) attributes[name.slice(3)] = text;
  const type = headers['content-type'];
  if (type !== undefined && Object.keys(attributes).length > 0) attributes['datacontenttype'] = type;
  return attributes;
}

function dataOf(event: JsonRecord): JsonValue | undefined {
  const encoded = event['data_base64'];
  return typeof encoded === 'string' ? jsonOf(Buffer.from(encoded, 'base64')) : event['data'];
}

function malformed(detail: string): Problem {
  return problem('bad-request', detail, { remedy: 'send one CloudEvent 1.0 a record, in binary or structured mode' });
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
}

function isRecord(value: JsonValue): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
