//! Every reason for which a caller is refused, met once in the real runtime, with its status and its words.
//!
//! The reasons are read from the gateway's own source, so that a new one without a test fails here.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { startCognito } from './harness/cognito.mjs';
import { HS256_ENDS, he2, route } from './harness/config.mjs';
import { standardFields, stripeFields } from './harness/webhooks.mjs';
import {
  assertProblem,
  assertUnseen,
  bearer,
  newKey,
  nowSeconds,
  send,
  startAll,
  startGateway,
} from './harness.mjs';

const cognito = await startCognito();
test.after(() => cognito.close());
const { origin, issuer, gateway } = await startAll(cognito.vars);
const { STRIPE_WEBHOOK_SECRET: STRIPE, COMPOSIO_WEBHOOK_SECRET: COMPOSIO } = gateway.vars;
const forger = { ...(await newKey()), kid: issuer.keys[0].kid };

const RUN = `/api/agent-run/${randomUUID()}/stream`;
const NEXT = '/api/token-usage';
const FETCH = { 'sec-fetch-mode': 'cors' };
const KEY = { 'x-api-key': `he-${'a1B2'.repeat(9)}` };
const SESSION = 'sb-127-auth-token';

const api = (path, headers = {}, method = 'GET', body) => ({
  path,
  headers,
  method,
  body,
  host: 'api.he2.ai',
});
const web = (path, headers, method = 'GET') => ({ path, headers, method, host: 'he2.ai' });
const agents = async (options) => api('/api/agents', bearer(await issuer.mint(options)));
const withClaims = (claims) => () => agents({ claims });
const cookie = (value) => web(NEXT, { ...FETCH, cookie: value });
const session = async (mint) =>
  `${SESSION}=${encodeURIComponent(JSON.stringify({ access_token: await mint() }))}`;
const operator = (headers) => api('/api/send-welcome-email', headers, 'POST');
const stripe = (headers, body = '{}') => api('/api/billing/webhook', headers, 'POST', body);
const stripeAt = (seconds) => () => stripe(stripeFields(STRIPE, '{}', nowSeconds() + seconds));
const TOLERANCE = route('stripe').auth.tolerance_seconds;

async function manyForgeries() {
  const headers = { 'cf-connecting-ip': '203.0.113.99' };
  const one = async () => {
    const { path, headers: fields } = await agents({ key: forger });
    return api(path, { ...fields, ...headers });
  };
  for (let count = 0; count < he2.auth.forgeries.quota; count += 1) {
    const { path, ...options } = await one();
    await send(gateway, 'GET', path, options);
  }
  return one();
}

async function revoked() {
  const body = JSON.stringify({ session_id: randomUUID() });
  await send(gateway, 'POST', '/.edge/revocations', {
    host: 'api.he2.ai',
    headers: { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY },
    body,
  });
  return agents({ claims: JSON.parse(body) });
}

/** What is said, with which status, to which request; a text may be the same for several. */
const REFUSALS = [
  ['the token is too long', 401, withClaims({ bio: 'x'.repeat(he2.auth.max_token_bytes) })],
  ['the token is not a JWT', 401, () => api('/api/agents', bearer('not-a-token'))],
  ['an API key is not a bearer token', 401, () => api('/api/agents', bearer('sb_publishable_abc'))],
  ["the token's header asks for what is not supported", 401, () => agents({ header: { typ: 'dpop+jwt' } })],
  ["the token's algorithm is not accepted", 401, () => agents({ header: { alg: 'none' } })],
  ['the token is signed by an unknown key', 401, () => agents({ key: { ...forger, kid: randomUUID() } })],
  ["the token's signature is not valid", 401, () => agents({ key: forger })],
  ['the token has expired', 401, withClaims({ exp: nowSeconds() - 60, iat: nowSeconds() - 120 })],
  ['the token does not say when it was issued and when it expires', 401, withClaims({ exp: undefined })],
  [
    'the token is good for too long',
    401,
    withClaims({ exp: nowSeconds() + he2.auth.max_lifetime_seconds + 60 }),
  ],
  ['the token is not valid yet', 401, withClaims({ nbf: nowSeconds() + 600 })],
  ["the token's issuer is not accepted", 401, withClaims({ iss: 'https://evil.supabase.co/auth/v1' })],
  ['the token is for another audience', 401, withClaims({ aud: 'somebody-else' })],
  ['a claim of the token has not the form it must have', 401, withClaims({ session_id: 'a b' })],
  ['the token names no user', 401, withClaims({ sub: undefined })],
  ["the token's role is not a signed-in user", 403, withClaims({ role: 'anon' })],
  [
    'the token is not of the kind that is accepted',
    401,
    async () => api('/api/agents', bearer(await cognito.mint({ claims: { token_use: 'id' } }))),
  ],
  ['the token has been revoked', 401, revoked],
  ['the session cookie was sent more than once', 401, () => cookie(`${SESSION}=a; ${SESSION}=b`)],
  ['the header is larger than 15360 bytes; most of it is the field cookie', 431, () => cookie(`a=${'x'.repeat(16_000)}`)],
  ['the session cookie does not hold a session', 401, () => cookie(`${SESSION}=base64-AAAA`)],
  ['Not Found', 404, () => api('/docs')],
  ['No valid authentication credentials found', 401, () => api('/api/agents')],
  [
    'a page of another site may not do this',
    403,
    async () =>
      web(
        '/api/generate-prompts',
        { origin: 'https://evil.example', cookie: await session(issuer.mint) },
        'POST',
      ),
  ],
  ['the API key is not valid', 401, () => api('/api/threads', { 'x-api-key': 'pk_short:sk_short' })],
  [
    'a secret key was sent, and must be replaced',
    401,
    () => api('/api/health', { apikey: `sb_secret_${randomBytes(16).toString('hex')}` }),
  ],
  ['the admin key is not valid', 403, () => operator({ 'x-admin-api-key': 'wrong' })],
  ['too many bad credentials came from this address', 429, manyForgeries],
  ['the webhook has no field stripe-signature', 400, () => stripe({})],
  ["the webhook's field stripe-signature cannot be read", 400, () => stripe({ 'stripe-signature': 'v1=00' })],
  ['the webhook was signed too long ago', 400, stripeAt(-TOLERANCE - 60)],
  ['the webhook was signed in the future', 400, stripeAt(TOLERANCE + 60)],
  ['the webhook is not signed with the right secret', 400, () => stripe(stripeFields(COMPOSIO, '{}'))],
  [
    'more than one credential was sent; send one',
    400,
    async () => api('/api/agents', { ...KEY, ...bearer(await issuer.mint()) }),
  ],
  [
    'the session cookie and another credential differ; send one',
    400,
    async () => web(NEXT, { cookie: await session(issuer.mint), ...bearer(await issuer.mint()) }),
  ],
  [
    'the Authorization field does not carry a Bearer token',
    400,
    () => api('/api/agents', { authorization: 'Basic eDp5' }),
  ],
  ['more than one token in the query', 400, () => api(`${RUN}?token=a&token=b`)],
];

for (const [text, status, request] of REFUSALS) {
  test(`${status}: ${text}`, async () => {
    const { path, method, ...options } = await request();
    const answer = await assertUnseen(origin, () => send(gateway, method, path, options));
    assert.equal(assertProblem(answer, status).detail, text);
  });
}

/** What only another deployment says. */
const ELSEWHERE = [
  [
    'sign-in cannot be checked right now',
    503,
    { ISSUER: 'http://127.0.0.1:9/auth/v1' },
    () => api('/api/agents'),
  ],
  ['sign-in cannot be checked right now', 503, { STRIPE_WEBHOOK_SECRET: undefined }, () => stripe({})],
  [
    'sign-in cannot be checked right now',
    503,
    { COMPOSIO_WEBHOOK_SECRET: 'whsec_' },
    () => api('/api/composio/webhook', standardFields('', 'msg_1', '{}'), 'POST', '{}'),
  ],
];

for (const [text, status, vars, request] of ELSEWHERE) {
  test(`${status}, where ${Object.keys(vars)} is bad: ${text}`, async (t) => {
    const other = await startGateway({ origin: origin.url, issuer: issuer.url, vars });
    t.after(() => other.close());
    const { path, method, headers, ...options } = request();
    const token = vars.ISSUER ? bearer(await issuer.mint({ claims: { iss: vars.ISSUER } })) : {};
    const answer = await assertUnseen(origin, () =>
      send(other, method, path, { ...options, headers: { ...headers, ...token } }),
    );
    assert.equal(assertProblem(answer, status).detail, text);
  });
}

/** What no request can meet in a deployment of this he2.toml, so that only native tests do. */
const NATIVE = {
  'tokens signed with the shared secret are no longer accepted': 'after the end that he2.toml gives HS256',
  'a stronger sign-in is needed': 'no route asks for it',
  'this sign-in may not do that': 'no route asks for it',
  'webhooks cannot be checked here': 'said as 503, as where the secret is not set',
  'the admin key may not be used from this address': 'no route limits it to networks',
  'more than one session cookie': 'one issuer has cookies',
  'the session cookie is too long': 'its head is too large before',
  'more than one Authorization field': 'the runtime makes one of them',
};

test('no reason in the source is without a test', () => {
  const known = new Set([...REFUSALS, ...ELSEWHERE].map(([text]) => text).concat(Object.keys(NATIVE)));
  const missing = [...reasonsInSource()].filter((reason) => ![...known].some((text) => reason.test(text)));
  assert.deepEqual(missing, []);
  assert.ok(Date.now() < HS256_ENDS, 'HS256 has ended: he2.toml need not name it any more');
});

/** The texts of refusals in the gateway's source; `{}` in a text stands for anything. */
function* reasonsInSource() {
  const source = (file) => readFileSync(new URL(`../edge/core/src/${file}`, import.meta.url), 'utf8');
  const functions = [
    ...['token', 'cookie', 'webhook'].map((name) => [source(`auth/${name}.rs`), 'pub fn description']),
    [source('fault.rs'), 'fn refused'],
  ];
  const bodies = functions.map(
    ([text, name]) => text.slice(text.indexOf(`${name}(`)).split(/\n {0,4}\}\n/, 1)[0],
  );
  const constants = source('fault.rs').match(/^const (STEP_UP|NOT_ALLOWED|LEAKED).*$/gm);
  const requests = source('auth/credential.rs').match(/Refusal::Request\("[^"]*"\)/g);
  const literals = [...bodies, ...constants, ...requests].flatMap((text) => text.match(/"[^"]+"/g));
  assert.ok(literals.length > 35, `${literals.length} texts`);
  for (const literal of literals) yield new RegExp(`^${literal.slice(1, -1).replace(/\{[^}]*\}/g, '.*')}$`);
}
