import { z } from 'zod';
import { component } from '../common.schemas.js';

/** The API's four roles (design 7): each may do what the one before it may. */
export const roles = ['viewer', 'operator', 'author', 'admin'] as const;
export const roleSchema = component('Role', z.enum(roles));
export type Role = (typeof roles)[number];

/** Whether somebody of role `has` may do what takes role `needs`. */
export function roleAllows(has: Role, needs: Role): boolean {
  return roles.indexOf(has) >= roles.indexOf(needs);
}
