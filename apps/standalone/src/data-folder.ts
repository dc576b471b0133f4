/**
 * Job: the folder of one `baton up`: who holds it, its secrets, and `baton.json` for those who want to talk to it.
 * Invariants:
 *  1. One holder at a time: the file `holder` names a process by id and start time, so that a process id that was given
 *     away again after a power cut holds nothing. (Should two starts race for a stale one, PostgreSQL's own lock decides.)
 *  2. The secrets are made once and never change: with another key nothing sealed could be opened.
 *  3. Every file is replaced whole (written beside it, synced, renamed) and readable by its owner alone.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DataDirectoryInUse, fsyncPath } from '@baton/postgres';
import { newApiToken } from '@baton/security';
import { z } from 'zod';

import { startOf } from './process-identity.js';

const secretsSchema = z.object({ secretKey: z.string(), adminToken: z.string(), databasePassword: z.string() });
export type Secrets = z.infer<typeof secretsSchema>;

const holderSchema = z.object({ pid: z.number(), start: z.string() });

/** What `baton.json` says (design 9). */
export interface Whereabouts {
  url: string;
  token: string;
  database: string;
  /** The Kafka brokers, where events go over Kafka. */
  brokers?: string;
  pids: {
    parent: number;
    postgres?: number;
    kafka?: number;
    intake?: number;
    scheduler?: number;
    executors: number[];
  };
}

export class DataFolder {
  private constructor(readonly path: string) {}

  /** Takes the folder, or throws `DataDirectoryInUse` with the process that has it. */
  static take(path: string): DataFolder {
    const fresh = !existsSync(path);
    mkdirSync(path, { recursive: true });
    // PostgreSQL may run as another user, who has to pass through; nobody else can list or read.
    if (fresh) chmodSync(path, 0o711);
    const folder = new DataFolder(path);
    const holder = folder.holder();
    if (holder && holder.pid !== process.pid && startOf(holder.pid) === holder.start)
      throw new DataDirectoryInUse(path, holder.pid);
    folder.replace('holder', { pid: process.pid, start: startOf(process.pid) ?? '' });
    mkdirSync(folder.file('logs'), { recursive: true, mode: 0o700 });
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  secrets(): Secrets {
    const file = this.file('secrets.json');
    if (existsSync(file)) return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const made: Secrets = {
      secretKey: randomBytes(32).toString('base64'),
      adminToken: newApiToken().token,
      databasePassword: randomBytes(24).toString('base64url'),
    };
    this.replace('secrets.json', made);
    return made;
  }

  tell(whereabouts: Whereabouts): void {
    this.replace('baton.json', whereabouts);
  }

  /** Ended cleanly: nobody holds it, and nobody answers at the address. */
  leave(): void {
    rmSync(this.file('baton.json'), { force: true });
    rmSync(this.file('holder'), { force: true });
  }

  private holder(): z.infer<typeof holderSchema> | undefined {
    const file = this.file('holder');
    if (!existsSync(file)) return undefined;
    const text = readFileSync(file, 'utf8');
    return text === '' ? undefined : holderSchema.safeParse(JSON.parse(text)).data;
  }

  private replace(name: string, content: unknown): void {
    const file = this.file(name);
    const beside = `${file}.new`;
    const descriptor = openSync(beside, 'w', 0o600);
    try {
      writeFileSync(descriptor, `${JSON.stringify(content, null, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
    fsyncPath(dirname(file));
  }
}
