//! The app's own sign-in client gets a token that the gateway takes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { AuthClient } from '@supabase/auth-js';
import { assertProblem, bearer, lastSeen, send, startAll } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const client = new AuthClient({ url: issuer.url, persistSession: false, autoRefreshToken: false });
const credentials = { email: 'grace@example.com', password: 'correct horse' };
const agents = (token) => send(gateway, 'GET', '/api/agents', { host: 'api.he2.ai', headers: bearer(token) });

test('a person who signs in with a password reaches a signed-in route as that person', async () => {
  assert.equal((await client.signUp(credentials)).error, null);
  const { data, error } = await client.signInWithPassword(credentials);
  assert.equal(error, null);
  assert.equal((await agents(data.session.access_token)).status, 200);
  assert.equal(lastSeen(origin, '/api/agents').headers['x-he2-user'], data.user.id);
});

test('a refreshed session goes on as the same person', async () => {
  const before = (await client.getSession()).data.session;
  const { data, error } = await client.refreshSession();
  assert.equal(error, null);
  assert.notEqual(data.session.refresh_token, before.refresh_token);
  assert.equal((await agents(data.session.access_token)).status, 200);
  assert.equal(lastSeen(origin, '/api/agents').headers['x-he2-user'], before.user.id);
});

test('a wrong password gives no token', async () => {
  const { data, error } = await client.signInWithPassword({ ...credentials, password: 'guess' });
  assert.equal(error.code, 'invalid_credentials');
  assert.equal(data.session, null);
  assertProblem(await agents('null'), 401);
});
