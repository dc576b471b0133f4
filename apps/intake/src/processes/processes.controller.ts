import type { CommandAccepted, Process, ProcessEventPage, ProcessPage, ProcessStatusName, Why } from '@baton/contracts';
import type { ProcessCommand } from '@baton/process';
import { Controller, Inject } from '@nestjs/common';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { doneOrThrow, unknownProcess } from '../http/refusals.js';
import { IntakeServices } from '../intake.services.js';
import { eventView } from './event.view.js';
import { type FoldedProcess, listItem, processView } from './process.reader.js';

type Verb = 'cancel' | 'pause' | 'resume' | 'retry';

@Controller()
export class ProcessesController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('listProcesses')
  async list(@Input() { query }: In<'listProcesses'>): Promise<ProcessPage> {
    const { status, definition, after, limit, label } = query;
    const [page, ageMs] = await Promise.all([
      this.services.views.list({
        ...(status ? { status } : {}),
        ...(definition ? { definition: definition.includes('/') ? definition : `default/${definition}` } : {}),
        ...(label === undefined ? {} : { labels: labelsOf(label) }),
        ...(after === undefined ? {} : { after }),
        limit,
      }),
      this.services.viewsAge(),
    ]);
    return { items: page.items.map(listItem), next: page.next, ageMs };
  }

  @Operation('getProcess')
  async get(@Input() { params }: In<'getProcess'>): Promise<Process> {
    return processView(await this.#folded(params.id));
  }

  @Operation('listProcessEvents')
  async events(@Input() { params, query }: In<'listProcessEvents'>): Promise<ProcessEventPage> {
    const { after, limit } = query;
    const rows = await this.services.log.read(params.id, after, limit + 1);
    if (rows.length === 0 && !(await this.services.log.heads([params.id])).has(params.id)) {
      throw unknownProcess(params.id);
    }
    const items = rows.slice(0, limit).map(eventView);
    const last = items.at(-1);
    return { items, next: rows.length > limit && last ? String(last.sequence) : null };
  }

  @Operation('whyProcess')
  async why(@Input() { params }: In<'whyProcess'>): Promise<Why> {
    return this.services.why.explain(await this.#folded(params.id));
  }

  @Operation('cancelProcess')
  cancel(@Input() { params, body }: In<'cancelProcess'>, @Caller() caller: CallerType): Promise<CommandAccepted> {
    return this.#command('cancel', params.id, body.reason, caller);
  }

  @Operation('pauseProcess')
  pause(@Input() { params, body }: In<'pauseProcess'>, @Caller() caller: CallerType): Promise<CommandAccepted> {
    return this.#command('pause', params.id, body.reason, caller);
  }

  @Operation('resumeProcess')
  resume(@Input() { params, body }: In<'resumeProcess'>, @Caller() caller: CallerType): Promise<CommandAccepted> {
    return this.#command('resume', params.id, body.reason, caller);
  }

  @Operation('retryProcess')
  retry(@Input() { params, body }: In<'retryProcess'>, @Caller() caller: CallerType): Promise<CommandAccepted> {
    return this.#command('retry', params.id, body.reason, caller);
  }

  async #command(kind: Verb, id: string, reason: string | undefined, caller: CallerType): Promise<CommandAccepted> {
    const by = { id: caller.id, groups: caller.groups };
    const command: ProcessCommand = { kind, by, ...(reason === undefined ? {} : { reason }) };
    const metadata = { actor: caller.id, ...(caller.traceparent ? { traceparent: caller.traceparent } : {}) };
    doneOrThrow(await this.services.commands.handle(id, command, metadata), id);
    const { view } = await this.#folded(id);
    return { id, status: view.status as ProcessStatusName };
  }

  async #folded(id: string): Promise<FoldedProcess> {
    const folded = await this.services.processes.fold(id);
    if (!folded) throw unknownProcess(id);
    return folded;
  }
}

function labelsOf(label: string | string[]): Record<string, string> {
  const pairs = (Array.isArray(label) ? label : [label]).map((text) => {
    const equals = text.indexOf('=');
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    const errors = [{ path: 'query:label', message: `"${text}" is not NAME=VALUE`, remedy: 'write label=team=web' }];
    throw refuse('invalid', `the label "${text}" is not of the form NAME=VALUE`, { errors });
  });
  return Object.fromEntries(pairs);
}
