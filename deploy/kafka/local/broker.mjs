/**
 * A real Apache Kafka broker on this machine, one node in KRaft mode, for tests and `baton up --kafka`.
 *
 *   node deploy/kafka/local/broker.mjs --data DIR [--port N] [--log FILE] [--user NAME:PASSWORD]
 *
 * Fetches the jars once with Maven into a cache folder (BATON_KAFKA_JARS, or baton/kafka in the user's cache folder).
 * When the broker answers it prints one line, {"brokers": "127.0.0.1:N", "pid": …}, and it ends when its own standard
 * input closes. What goes on meanwhile is told on standard error. Its log is FILE, or DIR/broker.log. Needs Java 17 and,
 * the first time, Maven.
 *
 * With --user a second listener asks for TLS and a password (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), with a certificate
 * made for it: the line then has "secure": {"brokers": "127.0.0.1:M", "ca": FILE} too.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
/** As long as a broker may take to end; then it is killed. */
const endsWithinMs = 15_000;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { data: text, port: text, log: text, user: text } });
  const { data, user } = values;
  if (!data) throw new Error('Give a folder for the data of the broker: --data DIR.');
  if (user !== undefined && !/^[\w.-]+:[\w.-]+$/.test(user))
    throw new Error('Give the user as NAME:PASSWORD, of letters, digits, ".", "_" and "-": --user NAME:PASSWORD.');
  await checkJava();
  const jars = await fetchJars();
  await mkdir(data, { recursive: true });
  await whenFree(data);
  const settings = {
    data,
    port: Number(values.port ?? 0) || (await freePort()),
    controller: await freePort(),
    secure: user === undefined ? undefined : await secureListener(data, user),
  };
  const file = join(data, 'server.properties');
  await writeFile(file, properties(settings), { mode: 0o600 });
  const classpath = `${jars}/*`;
  if (!existsSync(join(data, 'log', 'meta.properties'))) await format(classpath, file, user);

  const memory = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const broker = spawn('java', [...memory, '-cp', classpath, 'kafka.Kafka', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C in the terminal is for whoever started us
  });
  await writeFile(join(data, 'broker.pid'), String(broker.pid));
  const log = createWriteStream(values.log ?? join(data, 'broker.log'), { flags: 'a', mode: 0o600 });
  broker.stdout.pipe(log);
  broker.stderr.pipe(log);
  broker.on('exit', (code) => process.exit(code === 143 ? 0 : (code ?? 1)));
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    broker.kill('SIGTERM');
    broker.kill('SIGCONT'); // one that is stopped would not hear it
    setTimeout(() => broker.kill('SIGKILL'), endsWithinMs).unref();
  };
  process.stdin.resume();
  process.stdin.on('end', end);
  process.stdin.on('error', end);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  while (!(await accepts(settings.port))) await delay(50);
  const { secure } = settings;
  console.log(
    JSON.stringify({
      brokers: `127.0.0.1:${settings.port}`,
      pid: broker.pid,
      ...(secure && { secure: { brokers: `127.0.0.1:${secure.port}`, ca: secure.ca } }),
    }),
  );
}

async function checkJava() {
  const remedy =
    'install it (Debian, Ubuntu: apt-get install openjdk-17-jre-headless), or use a broker that is there: --brokers HOST:PORT';
  const said = await run('java', ['-version']).catch((error) => {
    if (error.code === 'ENOENT') throw new Error(`A Kafka broker on this machine needs Java 17: ${remedy}.`);
    throw new Error(`java -version fails: ${error.stderr || error.message}`);
  });
  const major = Number(/version "(\d+)/.exec(said.stderr + said.stdout)?.[1]);
  if (major < 17) throw new Error(`A Kafka broker on this machine needs Java 17, and java is ${major}: ${remedy}.`);
}

async function fetchJars() {
  const cache =
    process.env.BATON_KAFKA_JARS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'baton', 'kafka');
  const jars = join(cache, 'kafka-4.3.0');
  if (existsSync(jars) && (await readdir(jars)).length > 0) return jars;
  console.error('Fetching the Kafka broker with Maven, once (46 files, 43 MB) …');
  const unfinished = `${jars}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  const goal = ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies'];
  try {
    await run('mvn', [...goal, '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`]);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw new Error(
      error.code === 'ENOENT'
        ? 'Maven fetches the Kafka broker the first time: install it (Debian, Ubuntu: apt-get install maven), or use a broker that is there: --brokers HOST:PORT.'
        : `Maven could not fetch the Kafka broker: ${error.stdout || error.message}`,
    );
  }
  // Somebody else may have been faster: theirs are the same.
  await rename(unfinished, jars).catch(() => rm(unfinished, { recursive: true, force: true }));
  return jars;
}

async function format(classpath, file, user) {
  const [name, password] = user?.split(':') ?? [];
  const users = user
    ? ['256', '512'].flatMap((bits) => ['--add-scram', `SCRAM-SHA-${bits}=[name=${name},password=${password}]`])
    : [];
  const tool = ['-cp', classpath, 'kafka.tools.StorageTool', 'format', '-t', newClusterId()];
  await run('java', [...tool, '-c', file, ...users]).catch((error) => {
    throw new Error(`The folder of the broker could not be formatted: ${error.stderr || error.message}`);
  });
}

/** As Kafka writes them. A new one for each folder: who publishes knows by it that a broker is not the one of before. */
function newClusterId() {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id; // the tool would take it for an option
}

/** A certificate of its own for TLS, and the user that it knows. */
async function secureListener(data, user) {
  const keystore = join(data, 'keystore.p12');
  const ca = join(data, 'ca.pem');
  const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', 'of-a-test', '-alias', 'broker'];
  if (!existsSync(ca)) {
    const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'SAN=ip:127.0.0.1,dns:localhost', '-validity', '3650'];
    await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', ...store, ...subject]);
    await run('keytool', ['-exportcert', '-rfc', ...store, '-file', ca]);
  }
  const [name, password] = user.split(':');
  return { port: await freePort(), keystore, ca, name, password };
}

/** A broker that is still ending, or whose starter was killed, holds the folder: it is waited for. */
async function whenFree(data) {
  const file = join(data, 'broker.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (!(await isBroker(pid, data))) return;
  console.error(`The broker of this folder still ends (process ${pid}); waiting for it …`);
  const deadline = performance.now() + endsWithinMs;
  while (await isBroker(pid, data)) {
    if (performance.now() > deadline) throw new Error(`The folder ${data} is in use by the broker of process ${pid}.`);
    await delay(100);
  }
}

async function isBroker(pid, data) {
  if (!(pid > 0)) return false;
  const { stdout } = await run('ps', ['-o', 'stat=,args=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return !stdout.startsWith('Z') && stdout.includes('kafka.Kafka') && stdout.includes(data);
}

function properties({ data, port, controller, secure }) {
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, ...(secure ? [`SECURE://127.0.0.1:${secure.port}`] : [])];
  const login = 'org.apache.kafka.common.security';
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=${listeners.join(',')},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=${listeners.join(',')}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${secure ? ',SECURE:SASL_SSL' : ''}
log.dirs=${join(data, 'log')}
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
${
  secure
    ? `listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_${secure.name}="${secure.password}";
listener.name.secure.scram-sha-256.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secure.ssl.keystore.type=PKCS12
listener.name.secure.ssl.keystore.location=${secure.keystore}
listener.name.secure.ssl.keystore.password=of-a-test
listener.name.secure.ssl.key.password=of-a-test
`
    : ''
}`;
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
