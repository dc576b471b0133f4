import { type DynamicModule, Module } from '@nestjs/common';
import { LiveHintsController } from './bus/live.hints.controller.js';
import { BusController } from './cluster/bus.controller.js';
import { ClusterController } from './cluster/cluster.controller.js';
import { DefinitionsController } from './definitions/definitions.controller.js';
import { EnvironmentsController } from './environments/environments.controller.js';
import { HealthController } from './health/health.controller.js';
import { IncidentsController } from './incidents/incidents.controller.js';
import { IntakeServices } from './intake.services.js';
import { MessagesController } from './messages/messages.controller.js';
import { ProcessesController } from './processes/processes.controller.js';
import { StreamController } from './processes/stream.controller.js';
import { RequestsController } from './requests/requests.controller.js';
import { SettingsController } from './settings/settings.controller.js';
import { TasksController } from './tasks/tasks.controller.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TopicsController } from './topics/topics.controller.js';

@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's dynamic modules are made so
export class IntakeModule {
  /** Over services that are built already: the wiring's, or a test's own. */
  static with(services: IntakeServices): DynamicModule {
    return {
      module: IntakeModule,
      providers: [{ provide: IntakeServices, useValue: services }],
      controllers: [
        BusController,
        ClusterController,
        DefinitionsController,
        EnvironmentsController,
        HealthController,
        IncidentsController,
        LiveHintsController,
        MessagesController,
        ProcessesController,
        RequestsController,
        SettingsController,
        StreamController,
        TasksController,
        TokensController,
        TopicsController,
      ],
    };
  }
}
