import type { z } from 'zod';
import type { Role } from './roles.schemas.js';

/** One call of the REST API. The server's routes, the OpenAPI document, the role matrix and the client follow from it. */
export interface RestOperation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` where a path parameter stands. */
  path: string;
  /** The least role that may call it, or `public`: no token is asked for. */
  role: Role | 'public';
  tag: string;
  summary: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: z.ZodType;
  /** Default: JSON. `text`: the body comes as it is. */
  bodyTypes?: readonly string[];
  /** Whether the body may be left out altogether. */
  bodyOptional?: boolean;
  /** Success: status and what comes back. null: nothing, or no JSON. */
  answers: Readonly<Record<number, { schema: z.ZodType | null; description: string; mediaType?: string }>>;
  /** Problems beyond those that every call may have. */
  problems?: readonly number[];
}

/** What a handler gets: checked, defaults filled in. */
export interface InputOf<T extends RestOperation> {
  params: T['params'] extends z.ZodType ? z.output<T['params']> : Record<string, never>;
  query: T['query'] extends z.ZodType ? z.output<T['query']> : Record<string, never>;
  body: T['body'] extends z.ZodType ? z.output<T['body']> : undefined;
}
