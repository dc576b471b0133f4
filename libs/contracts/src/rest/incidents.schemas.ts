import { z } from 'zod';
import { component, json, nullableTime, pageOf, pageQuery } from '../common.schemas.js';

export const incidentActions = ['rerun', 'skip', 'fail'] as const;
export const incidentSchema = component(
  'Incident',
  z.object({
    id: z.string(),
    process: z.string(),
    path: z.string().nullable(),
    kind: z.string(),
    reason: z.string(),
    actions: z.array(z.enum(incidentActions)),
    raisedAt: nullableTime,
  }),
);
export type Incident = z.infer<typeof incidentSchema>;
export const incidentPageSchema = component('IncidentPage', pageOf(incidentSchema));
export type IncidentPage = z.infer<typeof incidentPageSchema>;
export const incidentParams = z.strictObject({ id: z.string().min(1).max(200) });
export const incidentListQuery = z.strictObject({ process: z.string().max(200).optional(), ...pageQuery });

export const resolutionSchema = component(
  'IncidentResolution',
  z.strictObject({
    action: z.enum(incidentActions),
    output: json.optional().describe('With skip: what the operator is taken to have put out'),
    reason: z.string().min(1).max(2000),
  }),
);
export type IncidentResolution = z.input<typeof resolutionSchema>;
export const incidentResolvedSchema = component(
  'IncidentResolved',
  z.object({ id: z.string(), process: z.string(), action: z.enum(incidentActions) }),
);
export type IncidentResolved = z.infer<typeof incidentResolvedSchema>;
