//! A path has one form, for matching and for the origin; what could be read in two ways never reaches the
//! origin.
//!
//! Requests go by raw socket straight into the Worker: HTTP clients and Miniflare's own entry would tidy them
//! first.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertUnseen, lastSeen, raw, rawGet, startAll, statusOf } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const authorization = `Authorization: Bearer ${await issuer.mint()}\r\n`;
const get = (target) => raw(gateway.rawPort, rawGet(target, 'api.he2.ai', authorization));

const TRICKS = {
  'encoded dot segments': [
    '/api/%2e%2e/docs',
    '/api/agents/%2E%2E/health',
    '/api/agents/.%2e/health',
    '/api/%2e/agents',
  ],
  'encoded slashes': ['/api%2Fagents', '/api/agents%2f..%2fhealth', '/api/agents/a%2Fb'],
  backslashes: ['/api\\agents', '/api/agents/..\\health', '/api/agents%5Ca', '/api/agents/..%5c..%5cdocs'],
  'empty segments': ['//api/agents', '/api//agents', '/api/agents//'],
  'NUL and control bytes': [
    '/api/agents/%00',
    '/api/agents/a%00.png',
    '/api/agents/%0d%0aX-Evil:1',
    '/api/agents/%1f',
    '/api/agents/%7f',
  ],
  'malformed escapes': ['/api/agents/%', '/api/agents/%2', '/api/agents/%zz', '/api/agents/%u002e'],
};

for (const [name, targets] of Object.entries(TRICKS)) {
  test(`${name} are refused and never forwarded`, async () => {
    for (const target of targets) {
      const answer = await assertUnseen(origin, () => get(target));
      assert.equal(statusOf(answer), 400, `${target}\n${answer}`);
      assert.match(answer, /application\/problem\+json/);
    }
  });
}

test('a plain dot segment never reaches the origin, nor what it would climb to', async () => {
  for (const target of [
    '/api/agents/../admin/env-vars',
    '/api/agents/../../docs',
    '/api/v1/public/files/../../../admin/env-vars',
  ]) {
    const answer = await assertUnseen(origin, () => get(target));
    assert.ok([400, 404].includes(statusOf(answer)), `${target}\n${answer}`);
  }
});

test('needless escapes are matched as what they mean and forwarded plain', async () => {
  assert.equal(statusOf(await get('/api/%61gents/%7Eone')), 200);
  assert.equal(lastSeen(origin, '/api/agents/~one').url, '/api/agents/~one');
});

test('a blocked path stays blocked however it is written', async () => {
  for (const target of ['/%64ocs', '/api/%61dmin/env-vars', '/api/admin/env%2Dvars']) {
    const answer = await assertUnseen(origin, () => get(target));
    assert.equal(statusOf(answer), 404, target);
  }
});

test('escapes that carry meaning and the query pass unchanged', async () => {
  const target = '/api/agents/a%20b%C3%A9?next=%2Fdocs&x=..%2F&y=//&z=%00';
  assert.equal(statusOf(await get(target)), 200);
  assert.equal(lastSeen(origin, '/api/agents/a%20b%C3%A9').url, target);
});

test('file ids and qualified names pass byte for byte', async () => {
  const targets = [
    '/api/v1/public/files/thread_456:/workspace/index.html',
    '/api/v1/public/files/thread_456:%2Fworkspace%2Findex.html',
    '/api/v1/public/files/thread_456://workspace//a%20b.html',
    '/api/secure-mcp/credential-profiles/@smithery/exa%2Fsearch',
  ];
  for (const target of targets) {
    assert.equal(statusOf(await get(target)), 200, target);
    assert.equal(lastSeen(origin, target).url, target);
  }
});

test('dot segments are refused in file ids too', async () => {
  for (const id of [
    'thread_456:/%2e%2e/x',
    '%2e%2e%2fadmin',
    'a%2F..%2F..%2Fadmin',
    'a%2F%2e%2e%2Fadmin',
    'a/.%2E/b',
    'a%5C..%5Cb',
  ]) {
    const answer = await assertUnseen(origin, () => get(`/api/v1/public/files/${id}`));
    assert.equal(statusOf(answer), 400, `${id}\n${answer}`);
  }
});
