import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { wrongUse } from './exit-codes.js';

export interface ConnectionOptions {
  server?: string;
  token?: string;
  data?: string;
}

/** What `baton up` leaves for its user. */
const batonFile = z.object({ url: z.url(), token: z.string() });

const defaultDataDirectory = '.baton';

/** Options first, then the environment, then what `baton up` left in its data directory. */
export function connectionFrom(options: ConnectionOptions, env: NodeJS.ProcessEnv): { url: string; token?: string } {
  const token = options.token ?? env['BATON_TOKEN'];
  const url = options.server ?? env['BATON_URL'];
  if (url !== undefined) return { url: checkedUrl(url), ...(token === undefined ? {} : { token }) };
  const left = leftByUp(options.data ?? env['BATON_DATA'] ?? defaultDataDirectory);
  if (left) return { url: left.url, token: token ?? left.token };
  throw wrongUse(
    'There is no address of a server. Give --server URL (and --token TOKEN), set BATON_URL (and BATON_TOKEN), ' +
      'or run this where `baton up` runs, or with its --data DIR.',
  );
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw wrongUse(`"${url}" is not the address of a server. Write it like http://127.0.0.1:8080.`);
}

function leftByUp(directory: string): z.infer<typeof batonFile> | undefined {
  const file = join(directory, 'baton.json');
  if (!existsSync(file)) return undefined;
  try {
    return batonFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw wrongUse(`${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}
