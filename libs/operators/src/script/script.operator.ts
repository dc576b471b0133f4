import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import type { EffectResult, Json } from '@baton/process';
import type { EffectContext } from '../operator.port.js';
import { abortOf, checkFields, codeOf, failed, messageOf, notBegun, unknown } from '../shared/results.js';
import { NotStorable, parseJson, storableText } from '../shared/storable.js';
import { OutputTail } from './output.tail.js';
import { type ScriptFields, type ScriptPermission, scriptFields } from './script.fields.js';
import { supervisorSource } from './supervisor.source.js';

export interface ScriptOptions {
  allow: ScriptPermission;
  /** Between TERM and KILL. Shorter than what the executor grants an aborted operator. */
  killAfterMs?: number;
  /** The programs' PATH; default: that of this process. */
  path?: string;
}

const tail = 4096;
const mostParsed = 8 * 1024 * 1024;

/**
 * Job: one program on this host, without a shell, in a clean environment, under its supervisor.
 *
 * 1. The program starts only after begin(), which is called in the step that sends the order to start it.
 * 2. When this process dies, the supervisor ends the program's whole process group.
 * 3. A program that did not start is a known failure, one that ended by itself is completed with its exit code.
 * 4. One that was cut off, or whose end nobody saw, has an unknown outcome.
 */
export async function runScript(context: EffectContext, options: ScriptOptions): Promise<EffectResult> {
  const checked = checkFields(scriptFields, context.fields);
  if ('failure' in checked) return checked.failure;
  const program = String(checked.fields.run[0]);
  if (options.allow === false || (Array.isArray(options.allow) && !options.allow.includes(program)))
    return failed(
      'not-allowed',
      `Scripts${options.allow === false ? '' : ` of ${program}`} are not allowed on this executor. An administrator can allow them with BATON_ALLOW_SCRIPT (on, or a list of programs)`,
    );
  if (context.signal.aborted) return notBegun('aborted before it began');
  return new ScriptRun(context, checked.fields, options).result();
}

interface Said {
  ready?: true;
  refused?: { code?: string; message: string };
  exit?: { code: number | null; signal: string | null };
}

class ScriptRun {
  private readonly supervisor: ChildProcess;
  private readonly control: Duplex;
  private readonly stdout: OutputTail;
  private readonly stderr: OutputTail;
  private begun = false;
  /** Where it runs when the definition names no directory; the supervisor makes and removes it. */
  private readonly own = join(tmpdir(), `baton-script-${randomUUID()}`);
  private exitHeard = false;
  private stopped = false;
  private done: (result: EffectResult) => void = () => undefined;

  constructor(
    private readonly context: EffectContext,
    private readonly fields: ScriptFields,
    private readonly options: ScriptOptions,
  ) {
    this.stdout = new OutputTail(fields.parse ? mostParsed : tail, (chunk) => context.output?.('stdout', chunk));
    this.stderr = new OutputTail(tail, (chunk) => context.output?.('stderr', chunk));
    this.supervisor = spawn(process.execPath, ['-e', supervisorSource], {
      detached: true,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.control = this.supervisor.stdio[3] as Duplex;
  }

  result(): Promise<EffectResult> {
    const { supervisor, control, context } = this;
    const stop = () => this.stop();
    context.signal.addEventListener('abort', stop, { once: true });
    const timer = context.timeout === undefined ? undefined : setTimeout(stop, context.timeout + 1000);
    supervisor.stdout?.on('data', (chunk: Buffer) => this.stdout.push(chunk));
    supervisor.stderr?.on('data', (chunk: Buffer) => this.stderr.push(chunk));
    control.on('error', () => undefined); // the supervisor's end says what there is to say
    createInterface({ input: control }).on('line', (line) => this.heard(JSON.parse(line) as Said));
    supervisor.on('error', (error) =>
      this.ended(failed('supervisor', `The script could not be started: ${messageOf(error)}`)),
    );
    supervisor.on('exit', () => this.supervisorGone());
    return new Promise<EffectResult>((resolve) => {
      this.done = resolve;
    }).finally(() => {
      context.signal.removeEventListener('abort', stop);
      clearTimeout(timer);
      control.destroy();
      supervisor.stdout?.destroy();
      supervisor.stderr?.destroy();
    });
  }

  private heard(said: Said): void {
    if (said.ready) this.start();
    if (said.refused) this.refused(said.refused);
    if (said.exit) {
      this.exitHeard = true;
      this.exited(said.exit);
    }
  }

  /** Invariant 1: no await between begin() and the write. */
  private start(): void {
    const order = `${JSON.stringify(this.order())}\n`;
    try {
      this.context.begin();
    } catch (error) {
      this.ended(notBegun(messageOf(error)));
      return;
    }
    this.begun = true;
    this.control.write(order);
  }

  private order() {
    const { context, fields, options } = this;
    const { stdin } = fields;
    return {
      run: fields.run.map(String),
      stdin: stdin === undefined || stdin === null ? '' : typeof stdin === 'string' ? stdin : JSON.stringify(stdin),
      ...(fields.directory === undefined ? { own: this.own } : { directory: fields.directory }),
      environment: {
        PATH: options.path ?? process.env['PATH'] ?? '/usr/bin:/bin',
        LANG: 'C.UTF-8',
        BATON_PROCESS_ID: context.processId,
        BATON_OPERATOR_PATH: context.path,
        BATON_ATTEMPT: String(context.attempt),
        BATON_IDEMPOTENCY_KEY: context.idempotencyKey,
        ...(context.traceparent ? { TRACEPARENT: context.traceparent } : {}),
        ...(context.tracestate ? { TRACESTATE: context.tracestate } : {}),
        ...Object.fromEntries(Object.entries(fields.environment ?? {}).map(([name, value]) => [name, String(value)])),
      },
    };
  }

  private refused(refused: { code?: string; message: string }): void {
    const program = String(this.fields.run[0]);
    const where = this.fields.directory ? `, or the directory ${this.fields.directory},` : '';
    if (refused.code === 'ENOENT')
      this.ended(failed('not-found', `The program ${program}${where} does not exist on this executor`));
    else if (refused.code === 'EACCES')
      this.ended(failed('not-executable', `The program ${program} may not be executed on this executor`));
    else this.ended(failed('not-started', `The program ${program} did not start: ${refused.message}`));
  }

  private exited(exit: { code: number | null; signal: string | null }): void {
    const streams = [this.supervisor.stdout, this.supervisor.stderr];
    let open = streams.length;
    const all = () => {
      clearTimeout(patience);
      this.ended(this.outcomeOf(exit));
    };
    // A daemon that left the group may hold the streams open; what it writes is not the script's.
    const patience = setTimeout(all, 1000);
    for (const stream of streams) {
      const closed = () => {
        open -= 1;
        if (open === 0) all();
      };
      if (!stream || stream.readableEnded || stream.destroyed) closed();
      else stream.once('end', closed).once('error', closed);
    }
  }

  private outcomeOf(exit: { code: number | null; signal: string | null }): EffectResult {
    if (this.stopped) {
      const how = exit.signal ? `ended by ${exit.signal}` : `exit code ${exit.code}`;
      const said = this.stderr.text(1024).trim();
      return unknown(`${this.whyStopped()}: ${how}${said === '' ? '' : `; it last said: ${storableText(said)}`}`);
    }
    const output: { [key: string]: Json } = {
      exitCode: exit.code ?? 128 + signalNumber(exit.signal),
      stdout: storableText(this.stdout.text(tail)),
      stderr: storableText(this.stderr.text(tail)),
    };
    if (exit.signal) output['signal'] = exit.signal;
    if (this.fields.parse !== 'json' || output['exitCode'] !== 0) return { status: 'completed', output };
    if (this.stdout.overflown)
      return failed(
        'output-too-large',
        `Its output is larger than ${mostParsed} bytes and cannot be parsed`,
        undefined,
        output,
      );
    try {
      const json = parseJson(this.stdout.text());
      if (json !== undefined) return { status: 'completed', output: { ...output, json } };
    } catch (error) {
      if (!(error instanceof NotStorable)) throw error;
      return failed('parse', `Its output cannot be kept: ${error.message}`, undefined, output);
    }
    return failed('parse', 'Its standard output is not JSON, though `parse: json` says so', undefined, output);
  }

  private supervisorGone(): void {
    endGroup(this.supervisor.pid); // it may have been killed itself; the script must not go on unseen
    rm(this.own, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined); // then it did not tidy up
    // The exit report may still be on its way through the pipe; its end comes after it.
    const end = () =>
      this.ended(
        this.begun
          ? unknown('The supervisor of the script died, and took its end with it')
          : failed('supervisor', 'The supervisor of the script died before it began'),
      );
    if (this.control.readableEnded || this.control.destroyed) this.afterOutput(end);
    else this.control.once('end', () => this.afterOutput(end)).once('close', () => this.afterOutput(end));
  }

  /** readline gives its last lines in a later turn than the stream's end. */
  private afterOutput(end: () => void): void {
    setImmediate(() => {
      if (!this.exitHeard) end();
    });
  }

  private stop(): void {
    this.stopped = true;
    if (!this.begun) {
      this.ended(notBegun(this.whyStopped()));
      return;
    }
    this.control.write(`${JSON.stringify({ stop: this.options.killAfterMs ?? 3000 })}\n`);
  }

  private whyStopped(): string {
    return this.context.signal.aborted ? abortOf(this.context.signal).text : 'the time of the attempt was up';
  }

  private ended(result: EffectResult): void {
    this.done(result);
  }
}

/** The supervisor leads the group in which the script runs. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left in it, as it should be.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function signalNumber(signal: string | null): number {
  return (
    { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 }[signal ?? ''] ??
    0
  );
}
