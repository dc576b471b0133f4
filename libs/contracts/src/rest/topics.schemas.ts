import { z } from 'zod';

export const eventSchemaParams = z.object({
  schema: z.string().min(1).max(200).describe("An event's CloudEvents type: `baton.process.requested.v1.json`"),
});
