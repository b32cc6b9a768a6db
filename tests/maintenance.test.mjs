//! While the variable MAINTENANCE is set, people and programs are told when to come again; what watches the
//! service goes on.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after } from 'node:test';
import {
  assertProblem,
  assertUnseen,
  bearer,
  send,
  startGateway,
  startIssuer,
  startOrigin,
} from './harness.mjs';

const [origin, issuer] = [await startOrigin(), await startIssuer()];
const vars = { MAINTENANCE: '90' };
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, vars });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

const token = await issuer.mint();
const key = { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY };
const api = (path, headers = {}) => send(gateway, 'GET', path, { host: 'api.he2.ai', headers });

test('a person gets a page that says so', async () => {
  await assertUnseen(origin, async () => {
    const answer = await send(gateway, 'GET', '/', { headers: { accept: 'text/html,*/*;q=0.8' } });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers['retry-after'], '90');
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.text, /<h1>/);
  });
});

test('a program gets a problem document, signed in or not', async () => {
  await assertUnseen(origin, async () => {
    for (const headers of [{}, bearer(token)]) {
      const answer = await api('/api/agents', headers);
      assertProblem(answer, 503);
      assert.equal(answer.headers['retry-after'], '90');
    }
  });
});

test('health and the routes of operators go on, and operators pass', async () => {
  assert.equal((await api('/api/health')).status, 200);
  assert.equal((await api('/.edge/revocations', key)).status, 200);
  assert.equal((await api('/api/agents', { ...bearer(token), ...key })).status, 200);
  const wrong = { ...bearer(token), 'x-admin-api-key': randomBytes(24).toString('hex') };
  assertProblem(await api('/api/agents', wrong), 503);
});
