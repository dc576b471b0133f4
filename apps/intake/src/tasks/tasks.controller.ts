import type { JsonValue, Task, TaskDone, TaskPage } from '@baton/contracts';
import type { ProcessCommand } from '@baton/process';
import { Controller, Inject } from '@nestjs/common';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { refuse } from '../http/problem.error.js';
import { doneOrThrow, processOfPart } from '../http/refusals.js';
import { IntakeServices } from '../intake.services.js';
import { taskView } from './task.view.js';

@Controller()
export class TasksController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('listTasks')
  async list(@Input() { query }: In<'listTasks'>, @Caller() caller: CallerType): Promise<TaskPage> {
    const { process, mine, limit } = query;
    const items: Task[] = [];
    let { after } = query;
    // "mine" is looked for page by page, so that a page is not empty while there are more.
    do {
      const page = await this.services.waits.tasks({
        ...(process === undefined ? {} : { process }),
        ...(after === undefined ? {} : { after }),
        limit,
      });
      const views = page.items.map((row) => taskView(row, caller));
      items.push(...(mine === 'true' ? views.filter((view) => view.mayAnswer) : views));
      after = page.next ?? undefined;
    } while (after !== undefined && items.length === 0);
    return { items, next: after ?? null };
  }

  @Operation('getTask')
  async get(@Input() { params }: In<'getTask'>, @Caller() caller: CallerType): Promise<Task> {
    const task = await this.services.waits.task(params.id);
    if (!task) throw unknownTask(params.id);
    return taskView(task, caller);
  }

  @Operation('answerTask')
  answer(@Input() { params, body }: In<'answerTask'>, @Caller() caller: CallerType): Promise<TaskDone> {
    return this.#command(params.id, caller, (by) => ({
      kind: 'answerTask',
      taskId: params.id,
      answer: body.answer,
      by,
    }));
  }

  @Operation('draftTask')
  draft(@Input() { params, body }: In<'draftTask'>, @Caller() caller: CallerType): Promise<TaskDone> {
    return this.#command(params.id, caller, (by) => ({ kind: 'updateTask', taskId: params.id, draft: body.draft, by }));
  }

  @Operation('claimTask')
  claim(@Input() { params }: In<'claimTask'>, @Caller() caller: CallerType): Promise<TaskDone> {
    return this.#command(params.id, caller, (by) => ({ kind: 'updateTask', taskId: params.id, claim: true, by }));
  }

  @Operation('releaseTask')
  release(@Input() { params }: In<'releaseTask'>, @Caller() caller: CallerType): Promise<TaskDone> {
    return this.#command(params.id, caller, (by) => ({ kind: 'updateTask', taskId: params.id, claim: false, by }));
  }

  @Operation('delegateTask')
  delegate(@Input() { params, body }: In<'delegateTask'>, @Caller() caller: CallerType): Promise<TaskDone> {
    return this.#command(params.id, caller, (by) => ({
      kind: 'updateTask',
      taskId: params.id,
      delegateTo: body.to,
      by,
    }));
  }

  async #command(
    id: string,
    caller: CallerType,
    command: (by: { id: string; groups: string[] }) => ProcessCommand,
  ): Promise<TaskDone> {
    const process = processOfPart(id) ?? (await this.services.waits.task(id))?.process;
    if (process === undefined) throw unknownTask(id);
    const made = command({ id: caller.id, groups: caller.groups });
    const result = await this.services.commands.handle(process, made, { actor: caller.id });
    if (result.status === 'not-found') throw unknownTask(id);
    doneOrThrow(result, process);
    const answer = made.kind === 'answerTask' ? { answer: made.answer as JsonValue } : {};
    return { id, process, ...answer };
  }
}

function unknownTask(id: string) {
  return refuse('not-found', `there is no open task ${id}`, { remedy: 'GET /v1/tasks lists what is open' });
}
