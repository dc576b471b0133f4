#!/usr/bin/env node
// Runs the built command line on the Node.js that the project pins, whichever one is on the path.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/apps/cli/main.js', import.meta.url));
const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (!existsSync(main)) {
  console.error('Baton is not built yet. Run: npm ci && npm run build');
  process.exit(1);
}
const [major] = process.versions.node.split('.');
if (Number(major) >= 24) {
  process.argv[1] = main;
  await import(main);
} else {
  const child = spawn(existsSync(pinned) ? pinned : process.execPath, [main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Ctrl-C at a terminal reaches the child by itself; handed on, it would count twice.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
