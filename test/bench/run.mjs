// npm run bench [-- --only W1,W2 --rounds 3 --short --json --against DIR]   see docs/performance.md
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const outDir = join(root, 'dist', 'bench');
await build({
  configFile: false,
  root,
  logLevel: 'error',
  resolve: { tsconfigPaths: true },
  build: {
    ssr: join(here, 'main.ts'),
    outDir,
    target: 'node24',
    sourcemap: true,
    rollupOptions: { output: { entryFileNames: 'main.mjs' } },
  },
});
const { status } = spawnSync(process.execPath, [join(outDir, 'main.mjs'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, BATON_BENCH_ROOT: root },
});
process.exit(status ?? 1);
