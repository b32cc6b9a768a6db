//! No secret of any kind shows in a log line, an answer of the gateway's own, a trace or a key of the cache,
//! whatever happens to the request that carries it. The search itself runs when each gateway closes
//! (`harness/secrets.mjs`); here is what it has to be silent about.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import test from 'node:test';
import { cookieField, sessionCookies } from './harness/session.mjs';
import { stripeFields } from './harness/webhooks.mjs';
import {
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  send,
  startAll,
  startGateway,
  until,
  valuesOf,
} from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const random = () => randomBytes(24).toString('hex');
const STREAM = () => `/api/agent-run/${randomUUID()}/stream`;
const key = () => `pk_${random().slice(0, 32)}:sk_${random().slice(0, 32)}`;

/** The log's line of a request, which is written after its answer. */
const logged = (answer, from = gateway) =>
  until(
    () => from.logs.find(({ message }) => message.includes(answer.headers['x-request-id'])),
    'a log line of the request',
  );

/** Every secret that a client of the app sends beside its credential. */
const baggage = async () => ({
  'x-refresh-token': random(),
  'x-mcp-headers': JSON.stringify({ Authorization: `Bearer ${random()}` }),
  cookie: cookieField((await sessionCookies(issuer)).jar),
});

/** One request of every kind of route, with every kind of credential, good and bad. */
async function everyKind() {
  const { ADMIN_API_KEY, TRIGGER_WEBHOOK_SECRET, STRIPE_WEBHOOK_SECRET } = gateway.vars;
  const [token, expired] = [await issuer.mint(), await issuer.mint({ claims: { exp: 1_000, iat: 1 } })];
  return [
    ['GET', '/api/agents', bearer(token)],
    ['GET', '/api/agents', bearer(expired)],
    ['GET', '/api/agents', bearer(`${token}x`)],
    ['GET', '/api/agents', bearer(random())],
    ['GET', '/api/agents', { authorization: `Basic ${random()}` }],
    ['GET', '/api/agents', { ...bearer(token), 'x-api-key': key() }],
    ['GET', '/api/threads', { 'x-api-key': key() }],
    ['GET', '/api/threads', { 'x-api-key': `he-${random().slice(0, 36)}` }],
    ['GET', '/api/threads', { 'x-api-key': random() }],
    ['GET', `${STREAM()}?gap=1&token=${token}`, {}],
    ['GET', `${STREAM()}?token=${expired}`, {}],
    ['GET', `${STREAM()}?token=${token}&token=${token}`, {}],
    ['GET', `/api/agents?token=${token}`, {}],
    ['GET', `/api/nothing/%zz?token=${token}`, {}],
    ['GET', `/api/composio/toolkits?token=${token}`, bearer(token)],
    ['GET', `/api/composio/toolkits/t-1/icon`, bearer(token)],
    ['GET', '/api/sandboxes/s1/files', bearer(token)],
    ['GET', '/api/health', bearer(token)],
    ['OPTIONS', '/api/agents', bearer(token)],
    ['POST', '/api/health', bearer(token)],
    ['GET', '/docs', bearer(token)],
    ['POST', '/api/send-welcome-email', { 'x-admin-api-key': ADMIN_API_KEY }],
    ['POST', '/api/send-welcome-email', { 'x-admin-api-key': random() }],
    ['GET', '/.edge/revocations', { 'x-admin-api-key': ADMIN_API_KEY }],
    ['POST', '/api/billing/webhook', stripeFields(STRIPE_WEBHOOK_SECRET, '')],
    ['POST', '/api/billing/webhook', stripeFields(random(), '')],
    ['POST', `/api/triggers/${randomUUID()}/webhook`, { 'x-trigger-secret': TRIGGER_WEBHOOK_SECRET }],
    ['POST', `/api/triggers/${randomUUID()}/webhook`, { 'x-trigger-secret': random() }],
  ];
}

test('requests of every kind are answered without a secret, and X-Refresh-Token never goes on', async () => {
  const more = await baggage();
  for (const host of ['api.he2.ai', 'he2.ai', 'nobody.example']) {
    for (const [method, path, headers] of await everyKind()) {
      const before = origin.requests.length;
      await logged(await send(gateway, method, path, { host, headers: { ...more, ...headers } }));
      for (const seen of origin.requests.slice(before))
        assert.deepEqual(valuesOf(seen.rawHeaders, 'x-refresh-token'), [], `${method} ${path}`);
    }
  }
  assert.deepEqual(gateway.leaks(), []);
});

test('a failure behind tells no secret either', async (t) => {
  const broken = await startGateway({ origin: 'http://127.0.0.1:9', issuer: issuer.url });
  t.after(() => broken.close());
  const more = await baggage();
  for (const [method, path, headers] of await everyKind())
    await logged(
      await send(broken, method, path, { host: 'api.he2.ai', headers: { ...more, ...headers } }),
      broken,
    );
  const keyless = await startGateway({ origin: origin.url, issuer: 'http://127.0.0.1:9/auth/v1' });
  t.after(() => keyless.close());
  const answer = await send(keyless, 'GET', '/api/agents', {
    host: 'api.he2.ai',
    headers: bearer(await issuer.mint()),
  });
  await logged(answer, keyless);
  for (const one of [broken, keyless]) assert.deepEqual(one.leaks(), []);
});

test('an API key goes on to the origin and shows in the log as a digest only', async () => {
  const headers = { 'x-api-key': key() };
  const answer = await send(gateway, 'GET', '/api/threads', { host: 'api.he2.ai', headers });
  assert.equal(answer.status, 200);
  assert.equal(lastSeen(origin, '/api/threads').headers['x-api-key'], headers['x-api-key']);
  const { caller, identity } = JSON.parse((await logged(answer)).message);
  assert.equal(caller, 'api-key');
  assert.match(identity, /^[0-9a-f]{64}$/);
});

const secretKey = () =>
  `sb_secret_${randomBytes(16).toString('base64url')}_${randomBytes(4).toString('hex')}`;
const placesOfLeaks = {
  apikey: (value) => ['/api/agents', { apikey: value }],
  authorization: (value) => ['/api/agents', bearer(value)],
  'x-api-key': (value) => ['/api/threads', { 'x-api-key': value }],
  'x-refresh-token': (value) => ['/api/health', { 'x-refresh-token': value }],
  'x-mcp-headers': (value) => ['/api/triggers/providers', { 'x-mcp-headers': `{"apikey":"${value}"}` }],
  path: (value) => [`/api/feature-flags/${value.replace('_', '%5F')}`, {}],
  'x-anything': (value) => ['/api/sandboxes/s1/files', { 'x-anything': value }],
  query: (value) => [`/api/health?apikey=${value}`, {}],
};

for (const [place, request] of Object.entries(placesOfLeaks)) {
  test(`a secret key of the project in ${place} is refused, and its leak is logged without it`, async () => {
    const value = secretKey();
    const [path, headers] = request(value);
    const answer = await assertUnseen(origin, () =>
      send(gateway, 'GET', path, { host: 'api.he2.ai', headers }),
    );
    assertProblem(answer, 401);
    const line = await logged(answer);
    assert.equal(JSON.parse(line.message).leak, place);
    assert.ok(!line.message.includes(value.slice(0, 20)));
  });
}

test('a publishable key is no secret and no leak', async () => {
  const headers = { apikey: `sb_publishable_${randomBytes(16).toString('base64url')}` };
  const answer = await send(gateway, 'GET', '/api/triggers/providers', { host: 'api.he2.ai', headers });
  assert.equal(answer.status, 200);
  assert.equal(JSON.parse((await logged(answer)).message).leak, undefined);
});

test('such a key in a cookie, which another host can plant with anybody, locks nobody out', async () => {
  const headers = { cookie: `a=b; key=${secretKey()}` };
  const answer = await send(gateway, 'GET', '/api/triggers/providers', { host: 'api.he2.ai', headers });
  assert.equal(answer.status, 200);
  await logged(answer);
});
