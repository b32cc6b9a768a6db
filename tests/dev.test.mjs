//! `make dev` prints lines that do what they say, and leaves nothing behind.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startIssuer, startOrigin, until } from './harness.mjs';

const run = promisify(execFile);

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
// Nothing of a `make` that runs these tests: neither its variables nor its flags.
const ENVIRONMENT = { ...process.env, ORIGIN: '', ISSUER: '', PORT: '', MAKEFLAGS: '', MAKELEVEL: '' };

/** Runs dev.mjs by itself. */
async function dev(t, settings = {}) {
  const { PORT = await freePort() } = settings;
  return start(t, PORT, [process.execPath, 'tests/dev.mjs'], { ...settings, PORT });
}

/** Runs `make dev NAME=value…`. */
async function makeDev(t, settings) {
  const port = await freePort();
  const named = Object.entries({ ...settings, PORT: port }).map((pair) => pair.join('='));
  return start(t, port, ['make', 'dev', ...named]);
}

/** Runs a command in a process group of its own and waits for its last line. */
async function start(t, port, [command, ...args], settings = {}) {
  const child = spawn(command, args, {
    cwd: PROJECT,
    env: { ...ENVIRONMENT, ...settings },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // `close` and not `exit`: only then all that it wrote has been read.
  const dev_ = { child, port, closed: once(child, 'close'), stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    dev_.stdout += text;
  });
  child.stderr.on('data', (text) => {
    dev_.stderr += text;
  });
  t.after(() => {
    if (alive(child)) process.kill(-child.pid, 'SIGKILL');
  });
  await until(() => child.exitCode !== null || /initiate; done\n/.test(dev_.stdout), 'dev is ready', 60_000);
  return dev_;
}

/** Whether any process of its group is left. */
function alive(child) {
  try {
    return process.kill(-child.pid, 0);
  } catch {
    return false;
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** The lines to paste: each stands below a comment that says what to expect. */
const linesOf = ({ stdout }) => [...stdout.matchAll(/^# .+\n(.+)$/gm)].map(([, line]) => line);
const paste = async (line, env = {}) =>
  (await run('bash', ['-c', line], { env: { ...process.env, ...env }, timeout: 60_000 })).stdout;

/** Pastes all six lines and asserts what each comment promises. */
async function assertLines(lines, env = {}) {
  assert.equal(lines.length, 6);
  const [page, refused, signedIn, stream, asset, limited] = lines;
  assert.match(await paste(page, env), /^HTTP\/1\.1 200 OK\r\n[\s\S]*<h1>/);
  const refusal = await paste(refused, env);
  assert.match(refusal, /^HTTP\/1\.1 401 /);
  assert.match(refusal, /www-authenticate: Bearer realm="he2"/i);
  const call = await paste(signedIn, env);
  assert.match(call, /^HTTP\/1\.1 200 OK/);
  assert.match(call, /"x-he2-user":"[0-9a-f-]{36}"/);
  const frames = await paste(stream, env);
  assert.equal(frames.match(/^data: /gm).length, 4);
  assert.ok(frames.endsWith('data: {"type": "status", "status": "completed"}\n\n'));
  const [first, second] = (await paste(asset, env)).split(/(?=^HTTP)/m);
  assert.match(first, /cache-status: he2; ?fwd=uri-miss/i);
  assert.match(second, /cache-status: he2; ?hit/i);
  assert.match(second, /^age: \d+/im);
  assert.deepEqual((await paste(limited, env)).trim().split('\n'), [...Array(20).fill('200'), '429', '429']);
}

/** Asserts that it ended as it should, that nothing of its process group is left, and its port is free. */
async function assertGone({ child, port, closed }, [code, signal] = [0, null]) {
  assert.deepEqual(await closed, [code, signal]);
  await until(() => !alive(child), 'every process it started has ended');
  const server = net.createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
}

test('the printed lines do what they say, and Ctrl-C leaves nothing behind', async (t) => {
  const started = await dev(t);
  await assertLines(linesOf(started));
  process.kill(-started.child.pid, 'SIGINT');
  await assertGone(started);
});

test('a signal to the command alone stops everything too', async (t) => {
  const started = await dev(t);
  process.kill(started.child.pid, 'SIGTERM');
  await assertGone(started);
});

test("`make dev` takes an origin, an issuer and a port of one's own, and ends with Ctrl-C", async (t) => {
  const [origin, issuer] = [await startOrigin(), await startIssuer()];
  t.after(() => Promise.all([origin.close(), issuer.close()]));
  const started = await makeDev(t, { ORIGIN: origin.url, ISSUER: issuer.url });
  assert.match(started.stdout, /\$TOKEN/);
  await assertLines(linesOf(started), { TOKEN: await issuer.mint() });
  assert.equal(origin.seen('/api/agents').length, 1);
  process.kill(-started.child.pid, 'SIGINT');
  await assertGone(started, [null, 'SIGINT']); // make waits for its command, then ends by the signal
});

test('a taken port gives one clear line, with a port to take instead', async (t) => {
  for (const wanted of [0, 65_535]) {
    const server = net.createServer().listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address();
    const refused = await dev(t, { PORT: port });
    assert.equal((await refused.closed)[0], 1);
    const [, other] = new RegExp(`^.*port ${port} is taken.* PORT=(\\d+)\\n$`).exec(refused.stderr) ?? [];
    assert.ok(other && Number(other) !== port && Number(other) <= 65_535, refused.stderr);
    assert.equal(refused.stdout, '');
  }
});

test('settings that cannot be meant give one clear line', async (t) => {
  for (const settings of [
    { PORT: 'eighty' },
    { PORT: '0' },
    { PORT: '65536' },
    { ORIGIN: 'localhost:9000' },
    { ISSUER: 'supabase' },
  ]) {
    const refused = await dev(t, settings);
    assert.equal((await refused.closed)[0], 1);
    assert.match(refused.stderr, new RegExp(`^[^\\n]*${Object.entries(settings)[0].join('=')}[^\\n]*\\n$`));
  }
});
