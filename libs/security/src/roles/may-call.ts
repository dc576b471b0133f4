import { type Role, roleAllows } from '@baton/contracts';

/**
 * Who may call what. What a call needs is data: the table of operations in libs/contracts, from which routes and OpenAPI
 * follow. A call that is not in it (null) is refused to everybody, so that none is open by forgetting.
 */
export function mayCall(role: Role | null, need: Role | 'public' | null): boolean {
  if (need === null) return false;
  if (need === 'public') return true;
  return role !== null && roleAllows(role, need);
}
