import { type InputOf, type RestOperation, type RestOperationName, restOperations } from '@baton/contracts';
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { readInput } from './input.reader.js';

const operationKey = 'baton:operation';
const methods = {
  get: RequestMethod.GET,
  post: RequestMethod.POST,
  put: RequestMethod.PUT,
  patch: RequestMethod.PATCH,
  delete: RequestMethod.DELETE,
} as const;

/** Makes a method the handler of a call of the REST API: method, path and first success status come from its table. */
export function Operation(name: RestOperationName): MethodDecorator {
  const operation: RestOperation = restOperations[name];
  const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
  const status = Number(Object.keys(operation.answers).at(-1) ?? 200);
  return applyDecorators(
    RequestMapping({ method: methods[operation.method], path }),
    HttpCode(status),
    SetMetadata(operationKey, name),
  );
}

/** What the call carries, checked against its schemas, with defaults. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const name: RestOperationName = Reflect.getMetadata(operationKey, context.getHandler());
  return readInput(restOperations[name], context.switchToHttp().getRequest<FastifyRequest>());
});

/** Who calls: known before the handler runs. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<FastifyRequest>().caller;
});

export type In<N extends RestOperationName> = InputOf<(typeof restOperations)[N]>;
