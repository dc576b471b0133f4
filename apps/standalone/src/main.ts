import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStandalone } from './standalone.js';
import { parseOptions, UsageError, usage } from './standalone.options.js';

const say = (text: string) => console.error(text);

async function main(args: string[]): Promise<number | undefined> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    return 0;
  }
  const options = parseOptions(args);
  const apps = dirname(dirname(fileURLToPath(import.meta.url)));
  const standalone = await startStandalone(options, {
    apps,
    broker: join(apps, '..', '..', 'deploy', 'kafka', 'local', 'broker.mjs'),
    say,
    environment: process.env,
  });
  console.log(`Baton runs at ${standalone.url} (${options.executors} executors, data in ${options.data}${
    standalone.brokers ? `, events over Kafka at ${standalone.brokers}` : ''
  })

Try it in a second terminal:
  npx baton publish examples/first-steps/process.yaml
  npx baton run examples/first-steps --input name=you --wait
  npx baton executor list
Ctrl-C ends it; the next start goes on where it was.`);

  let ending = false;
  const end = (reason: string) => {
    if (ending) {
      say('Ending at once.');
      standalone.kill();
      return;
    }
    ending = true;
    say(`${reason}: ending. Running operators are finished or handed back (again: at once).`);
    standalone.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        say(`Could not end cleanly: ${error instanceof Error ? error.message : error}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => end('SIGINT'));
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('disconnect', () => end('The supervisor is gone'));
  return undefined;
}

try {
  const code = await main(process.argv.slice(2).filter((argument, index) => index > 0 || argument !== 'up'));
  if (code !== undefined) process.exit(code);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) say(usage);
  process.exit(error instanceof UsageError ? 2 : 1);
}
