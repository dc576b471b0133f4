import { type Problem, type ProblemCode, problem } from '@baton/contracts';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseAway } from './database-away.js';
import { ProblemError } from './problem.error.js';

export interface ErrorLog {
  error(detail: object, message: string): void;
}

/** Whatever goes wrong leaves as problem details; what nobody foresaw is logged and told without its inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: ErrorLog) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { problem: found, headers } = problemOf(error);
    if (found.status >= 500) this.log.error({ error, method: request.method, url: request.url }, found.detail);
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    void reply
      .code(found.status)
      .headers(headers)
      .type('application/problem+json')
      .send(JSON.stringify({ ...found, instance: request.url }));
  }
}

export function problemOf(error: unknown): { problem: Problem; headers: Readonly<Record<string, string>> } {
  if (error instanceof ProblemError) return { problem: error.problem, headers: error.headers };
  if (error instanceof Error && error.name === 'LogUnavailable') {
    return { problem: problem('not-ready', error.message), headers: { 'retry-after': '5' } };
  }
  if (isDatabaseAway(error)) {
    const detail = 'the database is out of reach; nothing was lost, and what runs goes on by itself when it is back';
    const away = problem('database-away', detail, { remedy: 'try again after Retry-After; keep the Idempotency-Key' });
    return { problem: away, headers: { 'retry-after': '1' } };
  }
  if (error instanceof Error && error.name === 'BadCursor') {
    return {
      problem: problem('invalid', error.message, { errors: [{ path: 'query:after', message: 'is no cursor' }] }),
      headers: {},
    };
  }
  if (error instanceof HttpException) return { problem: ofStatus(error.getStatus(), error.message), headers: {} };
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    return { problem: ofStatus(error.statusCode, error.message), headers: {} };
  }
  const detail = 'the server met something it did not expect; it is in its log';
  return {
    problem: problem('unexpected', detail, { remedy: 'try again; if it stays, look into the log' }),
    headers: {},
  };
}

const byStatus: Record<number, ProblemCode> = {
  400: 'bad-request',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'too-large',
  415: 'unsupported-media-type',
  503: 'not-ready',
};

function ofStatus(status: number, detail: string): Problem {
  const code = byStatus[status];
  if (code) return problem(code, detail, code === 'not-found' ? { remedy: 'GET /openapi.json lists every call' } : {});
  return { ...problem(status < 500 ? 'bad-request' : 'unexpected', detail), status };
}
