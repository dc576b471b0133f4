import {
  type ClusterSettingName,
  clusterSettings,
  type JsonRecord,
  type JsonValue,
  type SettingList,
} from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class SettingsController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('getSettings')
  async list(): Promise<SettingList> {
    return { items: await this.services.catalogue.settingRows.list() };
  }

  @Operation('patchSettings')
  async change(@Input() { body }: In<'patchSettings'>, @Caller() caller: CallerType): Promise<SettingList> {
    const given = Object.entries(body as Record<ClusterSettingName, JsonValue>);
    const changes = given.map(([name, value]) => [name, valueOrDefault(name as ClusterSettingName, value)]);
    const { settingRows, settings } = this.services.catalogue;
    await settingRows.change(Object.fromEntries(changes), caller.id);
    await audit(this.services, caller, 'settings.change', 'settings', body as JsonRecord);
    await settings.refresh();
    return this.list();
  }
}

/** null sets back to the default, unless null is a value of the setting's own. */
function valueOrDefault(name: ClusterSettingName, value: JsonValue): JsonValue | undefined {
  if (value !== null) return value;
  return clusterSettings[name].schema.safeParse(null).success ? null : undefined;
}
