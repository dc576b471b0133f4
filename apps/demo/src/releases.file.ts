import { readFileSync } from 'node:fs';

export interface Release {
  service: string;
  version: string;
  hosts: string[];
  production: boolean;
  broken: boolean;
}

/** Reads the requests of the demo: `service,version,hosts,production,broken`, hosts separated by blanks. */
export function readReleases(file: string): Release[] {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  if (head !== 'service,version,hosts,production,broken')
    throw new Error(`${file}, line 1: expected the columns service,version,hosts,production,broken, found ${head}`);
  return lines.map((line, index) => {
    const [service, version, hosts, production, broken, ...more] = line.split(',');
    if (!service || !version || !hosts || !isFlag(production) || !isFlag(broken) || more.length > 0)
      throw new Error(
        `${file}, line ${index + 2}: expected service,version,hosts,true|false,true|false, found ${line}`,
      );
    return { service, version, hosts: hosts.split(' '), production: production === 'true', broken: broken === 'true' };
  });
}

function isFlag(text: string | undefined): text is 'true' | 'false' {
  return text === 'true' || text === 'false';
}
