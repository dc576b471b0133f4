import type { BusTransport } from '@baton/bus';
import type { RestOperation } from '@baton/contracts';
import { ApiTokenVerifier } from '@baton/security';
import { type Logger, nestLogger } from '@baton/telemetry';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { intakeStrategy } from './bus/intake.bus.js';
import { AccessControl, type TokenVerifier } from './http/access.control.js';
import { ProblemFilter } from './http/problem.filter.js';
import type { Answered } from './intake.metrics.js';
import { IntakeModule } from './intake.module.js';
import type { IntakeServices } from './intake.services.js';

const mebibyte = 1024 * 1024;
const largestBody = 64 * mebibyte;

/** A definition of 1 MiB has its own clear error; a thousand requests may be large; nothing else is. */
export function bodyLimit(operation: RestOperation): number {
  if (operation.path === '/v1/definitions') return 4 * mebibyte;
  if (operation.path === '/v1/requests') return largestBody;
  return 2 * mebibyte;
}

/** The HTTP server of intake, ready to listen or to be asked directly by a test. */
export async function createIntakeApp(
  services: IntakeServices,
  options: {
    logger: Logger;
    tokens?: TokenVerifier;
    bus?: BusTransport;
    onAnswer?: (answered: Answered) => void;
    onRoute?: (method: string, url: string) => void;
  },
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: largestBody,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true },
  });
  const fastify = adapter.getInstance();
  const verifier = options.tokens ?? new ApiTokenVerifier(services.catalogue.tokens, () => Date.now());
  const access = new AccessControl(verifier, bodyLimit);
  fastify.decorateRequest('caller', null);
  fastify.addHook('onRequest', async (request, reply) => {
    const caller = await access.admit(request, reply);
    if (caller === null) return reply;
    Object.assign(request, { caller });
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    options.onAnswer?.({ method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  });
  fastify.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) options.onRoute?.(method, route.url);
  });
  // Bodies are read as bytes, and parsed where their call is known: with limits, and before anything else looks at them.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const app = await NestFactory.create<NestFastifyApplication>(IntakeModule.with(services), adapter, {
    bodyParser: false,
    logger: nestLogger(options.logger),
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(options.logger));
  if (options.bus) app.connectMicroservice({ strategy: intakeStrategy(options.bus) });
  return app;
}
