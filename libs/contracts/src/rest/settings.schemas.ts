import { z } from 'zod';
import { component, isoTime, json } from '../common.schemas.js';
import { clusterSettings } from '../settings/cluster-settings.js';

export const settingItemSchema = component(
  'Setting',
  z.object({
    name: z.string(),
    value: json,
    default: json,
    meaning: z.string(),
    changedAt: isoTime.nullable(),
    changedBy: z.string().nullable(),
  }),
);
export type SettingItem = z.infer<typeof settingItemSchema>;
export const settingListSchema = component('SettingList', z.object({ items: z.array(settingItemSchema) }));
export type SettingList = z.infer<typeof settingListSchema>;

/** `null` sets a setting back to its default (where null is a value of its own, it means that). */
const changes = Object.fromEntries(
  Object.entries(clusterSettings).map(([name, { schema, meaning }]) => [
    name,
    z.union([schema, z.null()]).optional().describe(meaning),
  ]),
);
export const settingChangesSchema = component('SettingChanges', z.strictObject(changes));
export type SettingChanges = z.input<typeof settingChangesSchema>;
