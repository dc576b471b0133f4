import type { BusOperations } from '@baton/bus';
import type { Catalogue } from '@baton/catalogue';
import type { CommandHandler, EventLog, ExecutorRegistry, ProcessViews, WakeUp, WorkLists } from '@baton/event-log';
import type { AuditFindings } from './cluster/audit.findings.js';
import type { DefinitionLibrary } from './definitions/definition.library.js';
import type { HealthProbe } from './health/health.probe.js';
import type { MessageSender } from './messages/message.sender.js';
import type { LiveStreams } from './processes/live.streams.js';
import type { ProcessReader } from './processes/process.reader.js';
import type { WhyExplainer } from './processes/why.explainer.js';
import type { RequestAcceptor } from './requests/request.acceptor.js';

/** What the controllers work with. Plain objects, built once by the wiring; a test builds its own. */
export abstract class IntakeServices {
  abstract readonly catalogue: Catalogue;
  abstract readonly log: EventLog;
  abstract readonly commands: Pick<CommandHandler, 'handle'>;
  abstract readonly wakeUp: WakeUp;
  abstract readonly definitions: DefinitionLibrary;
  abstract readonly requests: RequestAcceptor;
  abstract readonly processes: ProcessReader;
  abstract readonly views: Pick<ProcessViews, 'list'>;
  abstract readonly live: LiveStreams;
  abstract readonly why: WhyExplainer;
  abstract readonly waits: WorkLists;
  abstract readonly messages: MessageSender;
  abstract readonly executors: Pick<ExecutorRegistry, 'list'>;
  abstract readonly health: HealthProbe;
  abstract readonly metrics: { text(): Promise<string> };
  /** In front of every topic's name. */
  abstract readonly topicPrefix: string;
  /** How far the list of processes is behind the log, in ms. */
  abstract viewsAge(): Promise<number>;
  abstract readonly bus: BusOperations;
  abstract readonly findings: Pick<AuditFindings, 'list'>;
  /** Read models and derived columns are made again from the log, by whoever feeds them. */
  abstract readonly rebuild: { request(by: string): Promise<{ requestedAt: string }> };
}
