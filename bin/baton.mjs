#!/usr/bin/env node
// The command line on the Node.js that the project pins, whichever the system has.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(home, 'dist', 'apps', 'cli', 'main.js');
if (!existsSync(entry)) {
  console.error('baton is not built yet: run "npm run build" once.');
  process.exit(2);
}
const pinned = join(home, 'node_modules', '.bin', 'node');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12) || !existsSync(pinned)) {
  await import(entry);
} else {
  const child = spawn(pinned, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; a signal to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
