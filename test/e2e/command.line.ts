import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { launcher } from './standalone.process.js';

export interface Said {
  code: number | null;
  out: string;
  err: string;
}

/** `baton …` as somebody types it, where `baton up` runs on this data directory. */
export class CommandLine {
  constructor(
    private readonly data: string,
    private readonly environment: Record<string, string> = {},
  ) {}

  async run(...args: string[]): Promise<Said> {
    const env: NodeJS.ProcessEnv = { ...process.env, BATON_DATA: this.data, NO_COLOR: '1', ...this.environment };
    const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: child.exitCode, out: out.trimEnd(), err: err.trimEnd() };
  }

  /** What it answers with `--json`; it must be done. */
  async json(...args: string[]): Promise<unknown> {
    const said = await this.run(...args, '--json');
    if (said.code !== 0) throw new Error(`baton ${args.join(' ')} ended with ${said.code}: ${said.err}`);
    return JSON.parse(said.out);
  }

  as(token: string): CommandLine {
    return new CommandLine(this.data, { ...this.environment, BATON_TOKEN: token });
  }
}
