/**
 * The supervisor of one script: a process of its own between executor and script. It lives on in no bundle: the executor
 * starts it as `node -e`, so it is plain JavaScript in one text. It leads a session and a process group, and the script
 * runs in that group, so that the executor knows the group from the first moment.
 *
 * Job: start the script when told to, and end the group (itself with it) when the script has ended, and above all when
 * the pipe to the executor closes, however that executor died.
 *
 * Line protocol over file descriptor 3, JSON each. In: `{run, stdin, environment, directory | own}` once, `{stop: graceMs}`.
 * Out: `{ready}`, `{refused: {code, message}}`, `{exit: {code, signal}}`.
 */
export const supervisorSource = /* js */ `
'use strict';
const { spawn } = require('node:child_process');
const { mkdirSync, rmSync } = require('node:fs');
const net = require('node:net');

const control = new net.Socket({ fd: 3, readable: true, writable: true });
let child, own, closed = false, text = '';
const say = (message) => { if (!closed) control.write(JSON.stringify(message) + '\\n'); };
const endAll = () => {
  if (own) try { rmSync(own, { recursive: true, force: true, maxRetries: 2 }); } catch (error) { own = undefined; }
  process.kill(-process.pid, 'SIGKILL');
};
const leave = () => { if (closed) endAll(); else control.end(endAll); };
const start = (order) => {
  try {
    if (order.own) mkdirSync(own = order.own, { mode: 0o700 });
    child = spawn(order.run[0], order.run.slice(1), {
      cwd: own || order.directory, env: order.environment, stdio: ['pipe', 'inherit', 'inherit'],
    });
  } catch (error) {
    say({ refused: { code: error.code, message: error.message } });
    return leave();
  }
  child.on('error', (error) => {
    if (child.pid) return;
    say({ refused: { code: error.code, message: error.message } });
    leave();
  });
  child.on('exit', (code, signal) => {
    say({ exit: { code, signal } });
    leave();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(order.stdin);
};
const gone = () => {
  if (closed) return;
  closed = true;
  endAll();
};
control.on('data', (chunk) => {
  text += chunk;
  for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
    const message = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    if (message.run) start(message);
    else if (message.stop !== undefined) {
      process.kill(-process.pid, 'SIGTERM'); // this process is deaf to it
      setTimeout(() => child && child.kill('SIGKILL'), message.stop).unref();
    }
  }
});
control.on('end', gone);
control.on('close', gone);
control.on('error', gone);
control.setEncoding('utf8');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {}); // only the pipe counts
say({ ready: true });
`;
