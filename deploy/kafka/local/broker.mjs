/**
 * A real Apache Kafka broker on this machine, one node in KRaft mode, for tests and `--kafka`.
 *
 *   node deploy/kafka/local/broker.mjs --data DIR [--port N]
 *
 * Fetches the jars once with Maven into a cache folder (BATON_KAFKA_JARS, or baton/kafka in the user's cache folder).
 * When the broker answers it prints one line, {"brokers": "127.0.0.1:N", "pid": …}, and it ends when its own standard
 * input closes. Its log is DIR/broker.log. Needs Java 17 and, the first time, Maven.
 */
import { execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' } } });
if (!values.data) throw new Error('Give a folder for the data of the broker: --data DIR.');

const cache =
  process.env.BATON_KAFKA_JARS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'baton', 'kafka');
const jars = join(cache, 'kafka-4.3.0');
await fetchJars();
const port = Number(values.port ?? 0) || (await freePort());
const controller = await freePort();
const file = join(values.data, 'server.properties');
await mkdir(values.data, { recursive: true });
await writeFile(file, settings());
const classpath = `${jars}/*`;
if (!existsSync(join(values.data, 'log', 'meta.properties'))) {
  await run('java', [
    '-cp',
    classpath,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'YmF0b24tbG9jYWwta2Fma2',
    '-c',
    file,
  ]).catch((error) => {
    throw new Error(`The folder of the broker could not be formatted: ${error.stderr || error.message}`);
  });
}
const memory = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const broker = spawn('java', [...memory, '-cp', classpath, 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] });
const log = createWriteStream(join(values.data, 'broker.log'), { flags: 'a' });
broker.stdout.pipe(log);
broker.stderr.pipe(log);
broker.on('exit', (code) => process.exit(code === 143 ? 0 : (code ?? 1)));
process.stdin.resume();
process.stdin.on('end', () => broker.kill('SIGTERM'));
process.on('SIGTERM', () => broker.kill('SIGTERM'));
process.on('SIGINT', () => broker.kill('SIGTERM'));
while (!(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ brokers: `127.0.0.1:${port}`, pid: broker.pid }));

async function fetchJars() {
  if (existsSync(jars) && (await readdir(jars)).length > 0) return;
  const unfinished = `${jars}.${process.pid}`;
  const goal = ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies'];
  try {
    await run('mvn', [...goal, '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`]);
  } catch (error) {
    throw new Error(
      `Maven could not fetch the jars of the broker; it needs Maven and Java 17: ${error.stdout || error.message}`,
    );
  }
  await mkdir(cache, { recursive: true });
  // Somebody else may have been faster: theirs are the same.
  await rename(unfinished, jars).catch(() => rm(unfinished, { recursive: true, force: true }));
}

function settings() {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${join(values.data, 'log')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
`;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return free;
}

function accepts(at) {
  return new Promise((resolve) => {
    const socket = connect(at, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
