import { z } from 'zod';
import { component, isoTime, jsonRecord, pageOf, pageQuery } from '../common.schemas.js';

export const auditEntrySchema = component(
  'AuditEntry',
  z.object({
    id: z.string(),
    at: isoTime,
    who: z.string(),
    from: z.string().nullable().describe('The address it came from'),
    action: z.string(),
    subject: z.string(),
    detail: jsonRecord,
  }),
);
export type AuditEntry = z.infer<typeof auditEntrySchema>;
export const auditPageSchema = component('AuditPage', pageOf(auditEntrySchema));
export type AuditPage = z.infer<typeof auditPageSchema>;
export const auditListQuery = z.strictObject({ subject: z.string().max(500).optional(), ...pageQuery });
