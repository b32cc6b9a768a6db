//! The lines of Python in README tell an app who calls, and refuse what the gateway did not say of this request.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bearer, send, startGateway, startIssuer, until } from './harness.mjs';

const PROJECT = resolve(import.meta.dirname, '..');
const SECRET = crypto.randomUUID();

const app = await startApp();
const issuer = await startIssuer();
const vars = { IDENTITY_SECRET: SECRET };
const gateway = await startGateway({ origin: app.url, issuer: issuer.url, vars });
after(() => Promise.all([gateway.close(), issuer.close(), app.close()]));

/** An app of one route, which answers who calls. */
async function startApp() {
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const [, lines] = /```python\n([^]*?)```/.exec(readme);
  const folder = mkdtempSync(join(tmpdir(), 'he2-app-'));
  const route = [
    'from fastapi import Depends, FastAPI',
    'app = FastAPI()',
    "@app.api_route('/{path:path}', methods=['GET', 'POST'])",
    'def answer(who: dict = Depends(caller)):',
    '    return who',
  ];
  writeFileSync(join(folder, 'app.py'), `${lines}\n${route.join('\n')}\n`);
  const port = await freePort();
  const command = ['python', '-m', 'uvicorn', 'app:app', '--port', `${port}`, '--log-level', 'warning'];
  const server = spawn(join(PROJECT, '.tools/python'), [...command, '--app-dir', folder], {
    cwd: PROJECT,
    env: { ...process.env, IDENTITY_SECRET: SECRET },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // The first run may install Python's packages.
  await until(() => listens(port), 'the app listens', 300_000);
  const close = async () => {
    server.kill();
    rmSync(folder, { recursive: true });
  };
  return { port, url: `http://127.0.0.1:${port}`, close };
}

function freePort() {
  return new Promise((found) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

function listens(port) {
  return new Promise((told) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => told(true)).once('error', () => told(false));
    socket.once('connect', () => socket.end());
  });
}

const call = (path, headers = {}, method = 'GET') =>
  send(gateway, method, path, { host: 'api.he2.ai', headers });

test('the app learns who calls, whatever the path and query look like', async () => {
  const claims = { sub: '5f1c9c0e-3b0a-4f5e-9b63-8f3f1f0c1d2e', session_id: 's-1', aal: 'aal2' };
  const token = bearer(await issuer.mint({ claims }));
  const who = { user: claims.sub, role: 'authenticated', session: 's-1', aal: 'aal2' };
  const paths = [
    '/api/agents',
    '/api/agents?',
    '/api/agents?limit=5&name=%C3%A4%20b+c',
    "/api/agents?q='a'&r={b}|c^`&s=[1]",
    '/api/agents/%7Bx%7D%20y;v=1/ä',
  ];
  for (const path of paths) {
    const answer = await call(path, token);
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
    assert.deepEqual(answer.json, who, path);
  }
  assert.equal((await call('/api/agents', token, 'POST')).status, 200);
});

test('a caller without a name has none, signed as well', async () => {
  const spoofed = { 'x-he2-user': 'somebody', 'x-he2-identity': 't=1,v1=00' };
  const answer = await call('/api/triggers/providers', spoofed);
  assert.deepEqual([answer.status, answer.json.user], [200, '']);
});

test('what did not come through the gateway just now is refused by the app', async () => {
  const seen = { 'x-he2-user': 'somebody' };
  const now = Math.floor(Date.now() / 1000);
  const forged = [
    {},
    { 'x-he2-identity': `t=${now},v1=${'0'.repeat(64)}` },
    { 'x-he2-identity': 'nonsense' },
  ];
  for (const headers of forged) {
    const answer = await send(app, 'GET', '/api/agents', { headers: { ...seen, ...headers } });
    assert.equal(answer.status, 401, JSON.stringify(headers));
  }
});
