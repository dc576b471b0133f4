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

export const findingSchema = component(
  'Finding',
  z.object({
    process: z.string(),
    kind: z.string().describe('What was missing, e.g. no-queue-place, nothing-moves-it, owner-lost, no-head'),
    detail: z.string(),
    foundAt: isoTime,
    repairedAt: isoTime.nullable(),
  }),
);
export type Finding = z.infer<typeof findingSchema>;
export const findingPageSchema = component('FindingPage', pageOf(findingSchema));
export type FindingPage = z.infer<typeof findingPageSchema>;
export const findingListQuery = z.strictObject(pageQuery);
