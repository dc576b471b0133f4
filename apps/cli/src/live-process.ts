import type { BatonClient } from '@baton/client';
import type { Process } from '@baton/contracts';
import { type CompiledDefinition, compile } from '@baton/process';
import type { Cli } from './cli.js';
import { eventLine } from './render/event-line.js';
import { drawProcess } from './render/process-drawing.js';

/** The process's definition, to draw its graph; undefined when it has operator types that are not known here. */
export async function definitionOf(client: BatonClient, process: Process): Promise<CompiledDefinition | undefined> {
  const { text } = await client.definition(process.definition, process.version);
  const result = compile(text, { version: process.version });
  return 'faults' in result ? undefined : result.definition;
}

/** Shows the process until it has ended: its graph drawn anew on a terminal, its events line by line elsewhere. */
export async function follow(cli: Cli, client: BatonClient, id: string): Promise<Process> {
  if (!cli.interactive) return followEvents(cli, client, id);
  const process = await client.process(id);
  const definition = await definitionOf(client, process);
  const fits = drawProcess(process, definition, cli.width, Date.now()).length + linesThatMayCome < cli.height;
  return fits ? followGraph(cli, client, process, definition) : followEvents(cli, client, id);
}

/** Errors and outputs: a drawing that is taller than the terminal cannot be drawn over. */
const linesThatMayCome = 4;

async function followEvents(cli: Cli, client: BatonClient, id: string): Promise<Process> {
  for await (const event of client.stream(id)) cli.out(eventLine(event, cli.width));
  return client.waitForEnd(id);
}

async function followGraph(
  cli: Cli,
  client: BatonClient,
  first: Process,
  definition: CompiledDefinition | undefined,
): Promise<Process> {
  const { id } = first;
  let shown = first;
  let height = 0;
  const draw = (process: Process) => {
    const lines = drawProcess(process, definition, cli.width, Date.now());
    const back = height > 0 ? `\u001b[${height}A\u001b[0J` : '';
    cli.out(`${back}${lines.join('\n')}`);
    height = lines.length;
  };
  draw(shown);
  for await (const event of client.stream(id, { after: shown.sequence })) {
    if (event.sequence <= shown.sequence) continue; // what the last look has shown already
    shown = await client.process(id);
    draw(shown);
  }
  const ended = await client.waitForEnd(id);
  if (ended.sequence > shown.sequence) draw(ended);
  return ended;
}
