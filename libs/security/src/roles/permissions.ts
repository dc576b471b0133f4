/** The API's four roles (design 7), each of which may what the ones before it may. */
export const roles = ['viewer', 'operator', 'author', 'admin'] as const;
export type Role = (typeof roles)[number];

/**
 * Who may call what, as data: the one table. A route that is not in it is refused to everybody, so that a new route
 * cannot be open by forgetting. `public`: health and the like, without a token.
 */
export const permissions = {
  'GET /v1/definitions': 'viewer',
  'GET /v1/definitions/:namespace/:name': 'viewer',
  'GET /v1/definitions/:namespace/:name/versions/:version': 'viewer',
  'POST /v1/definitions': 'author',
  'POST /v1/definitions/check': 'viewer',
  'GET /v1/operators': 'viewer',
  'POST /v1/requests': 'operator',
  'GET /v1/processes': 'viewer',
  'GET /v1/processes/:id': 'viewer',
  'GET /v1/processes/:id/events': 'viewer',
  'GET /v1/processes/:id/stream': 'viewer',
  'GET /v1/processes/:id/why': 'viewer',
  'POST /v1/processes/:id/cancel': 'operator',
  'POST /v1/processes/:id/pause': 'operator',
  'POST /v1/processes/:id/resume': 'operator',
  'POST /v1/processes/:id/retry': 'operator',
  'POST /v1/processes/:id/messages': 'operator',
  'GET /v1/tasks': 'viewer',
  'GET /v1/tasks/:id': 'viewer',
  'PATCH /v1/tasks/:id': 'operator',
  'POST /v1/tasks/:id/answer': 'operator',
  'GET /v1/incidents': 'viewer',
  'POST /v1/incidents/:id/resolve': 'operator',
  'POST /v1/messages': 'operator',
  'GET /v1/environments': 'viewer',
  'GET /v1/environments/:name': 'viewer',
  'PUT /v1/environments/:name': 'admin',
  'DELETE /v1/environments/:name': 'admin',
  'GET /v1/tokens': 'admin',
  'POST /v1/tokens': 'admin',
  'DELETE /v1/tokens/:id': 'admin',
  'GET /v1/settings': 'viewer',
  'PATCH /v1/settings': 'admin',
  'GET /v1/audit': 'admin',
  'POST /v1/log/rebuild': 'admin',
  'GET /v1/executors': 'viewer',
  'POST /v1/executors/:id/drain': 'admin',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /metrics': 'public',
  'GET /openapi.json': 'public',
} as const satisfies Record<string, Role | 'public'>;

export type RouteName = keyof typeof permissions;

/** What a route needs; null: it is not in the table, and so nobody may call it. */
export function needed(method: string, pattern: string): Role | 'public' | null {
  const table: Readonly<Record<string, Role | 'public'>> = permissions;
  const name = `${method.toUpperCase()} ${pattern.replace(/\/+$/, '') || '/'}`;
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}

export function mayCall(role: Role | null, need: Role | 'public' | null): boolean {
  if (need === null) return false;
  if (need === 'public') return true;
  return role !== null && roles.indexOf(role) >= roles.indexOf(need);
}
