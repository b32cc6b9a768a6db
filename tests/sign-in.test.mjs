//! Where a sign-in may stand in a request, and for how long it counts there.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { he2, route } from './harness/config.mjs';
import { cookieField, sessionCookies } from './harness/session.mjs';
import {
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  newKey,
  nowSeconds,
  send,
  startAll,
} from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const NEXT = '/api/token-usage';
const NAVIGATION = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'same-origin',
};
const FETCH = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' };
const NAME = 'sb-127-auth-token'; // after the first label of the issuer's host

const web = (path, headers, method = 'GET') => send(gateway, method, path, { headers });
const api = (path, headers = {}) => send(gateway, 'GET', path, { host: 'api.he2.ai', headers });
const withCookies = (jar, more = {}) => ({ cookie: cookieField(jar), ...more });
const ago = (seconds) => ({ exp: nowSeconds() - seconds, iat: nowSeconds() - seconds - 3_600 });

/** Whom the origin was told of by the last request for a path. */
const told = (path) => lastSeen(origin, path).headers['x-he2-user'];

async function assertKnown(answer, path, user) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(told(path), user);
}

for (const [what, options] of [
  ['in base64url', {}],
  ['in JSON', { encoding: 'raw' }],
  ['in JSON that needs escapes', { encoding: 'raw', claims: { user_metadata: { name: 'Ådá; "x"' } } }],
]) {
  test(`a session cookie as Supabase's library writes it, ${what}, tells who calls`, async () => {
    const { jar, user } = await sessionCookies(issuer, options);
    assert.ok(jar.has(NAME), [...jar.keys()].join());
    await assertKnown(await web(NEXT, withCookies(jar, FETCH)), NEXT, user);
    assert.equal(lastSeen(origin, NEXT).headers.cookie, cookieField(jar), 'Next.js reads it too');
  });
}

for (const encoding of ['base64url', 'raw']) {
  test(`a session in pieces, ${encoding}, is put together in their order, up to the first gap`, async () => {
    const claims = { user_metadata: { bio: 'ö'.repeat(2_500) } };
    const { jar, user } = await sessionCookies(issuer, { claims, encoding });
    assert.ok(jar.has(`${NAME}.2`) && !jar.has(NAME), [...jar.keys()].join());
    await assertKnown(await web(NEXT, withCookies(jar, FETCH)), NEXT, user);
    await assertKnown(await web(NEXT, withCookies([...jar].reverse(), FETCH)), NEXT, user);
    const stale = new Map([...jar, [`${NAME}.9`, 'of another session']]);
    await assertKnown(await web(NEXT, withCookies(stale, FETCH)), NEXT, user);
    jar.delete(`${NAME}.1`);
    assertProblem(await assertUnseen(origin, () => web(NEXT, withCookies(jar, FETCH))), 401);
  });
}

test('cookies of another name are no sign-in', async () => {
  const { jar } = await sessionCookies(issuer);
  const value = jar.get(NAME);
  for (const name of [
    'sb-other-auth-token',
    `x-${NAME}`,
    `${NAME}-code-verifier`,
    NAME.toUpperCase(),
    `${NAME}.x`,
  ]) {
    const answer = await web(NEXT, withCookies([[name, value]], FETCH));
    await assertKnown(answer, NEXT, undefined);
  }
});

test('what could be read as two sessions is read as none', async () => {
  const [one, other] = [await sessionCookies(issuer), await sessionCookies(issuer)];
  const value = one.jar.get(NAME);
  for (const cookie of [
    cookieField([...one.jar, ...other.jar]),
    cookieField([
      [NAME, value],
      [`${NAME}.0`, other.jar.get(NAME)],
    ]),
    `${cookieField(one.jar)}; ${cookieField(one.jar)}`,
  ])
    assertProblem(await assertUnseen(origin, () => web(NEXT, { cookie, ...FETCH })), 401);
});

test('a cookie counts only where the route says so', async () => {
  const { jar } = await sessionCookies(issuer);
  for (const path of ['/api/agents', `/api/agent-run/${randomUUID()}/stream`])
    assertProblem(await assertUnseen(origin, () => web(path, withCookies(jar))), 401, path);
  await assertKnown(
    await web('/api/sandboxes/s1/files', withCookies(jar)),
    '/api/sandboxes/s1/files',
    undefined,
  );
});

test('an expired cookie never stands in the way of a page, nor of what renews it', async () => {
  const { jar } = await sessionCookies(issuer, { claims: ago(60) });
  for (const path of ['/dashboard', NEXT, '/api/integrations/slack/callback']) {
    const answer = await web(path, withCookies(jar, NAVIGATION));
    await assertKnown(answer, path, undefined);
    assert.equal(lastSeen(origin, path).headers.cookie, cookieField(jar));
  }
  await assertKnown(await web(NEXT, withCookies(jar, FETCH)), NEXT, undefined);
});

test('a bad cookie makes nobody known, and locks nobody out of a page', async () => {
  const forged = await newKey();
  const session = async (options) => JSON.stringify({ access_token: await issuer.mint(options) });
  const bad = {
    forged: await session({ key: { ...forged, kid: issuer.keys[0].kid } }),
    'with alg none': await session({ header: { alg: 'none' } }),
    'of the project': await session({ claims: { role: 'service_role' } }),
    'no session': '{"user":{}}',
    'no JSON': 'base64-AAAA',
    'no base64url': 'base64-!!!!',
    'two tokens': `{"access_token":"a","access_token":"${await issuer.mint()}"}`,
  };
  for (const [what, value] of Object.entries(bad)) {
    const headers = withCookies([[NAME, value]]);
    const refused = await assertUnseen(origin, () => web(NEXT, { ...headers, ...FETCH }));
    assert.ok([401, 403].includes(refused.status), `${what}: ${refused.status}`);
    await assertKnown(await web(NEXT, { ...headers, ...NAVIGATION }), NEXT, undefined);
  }
});

test('a cookie that signed its user out is no sign-in', async () => {
  const answer = await web(
    NEXT,
    withCookies(
      [
        [NAME, ''],
        [`${NAME}.0`, ''],
      ],
      FETCH,
    ),
  );
  await assertKnown(answer, NEXT, undefined);
});

test("another site's page cannot act with a visitor's cookie", async () => {
  const { jar, user } = await sessionCookies(issuer);
  const [path, evil] = ['/api/generate-prompts', { origin: 'https://evil.example' }];
  assertProblem(await assertUnseen(origin, () => web(path, withCookies(jar, evil), 'POST')), 403);
  await assertKnown(await web(path, withCookies(jar, { origin: 'https://he2.ai' }), 'POST'), path, user);
  await assertKnown(await web(path, withCookies(jar), 'POST'), path, user);
});

test('two sources that say different things are a bad request; that say the same, one sign-in', async () => {
  const [{ jar, token, user }, other] = [await sessionCookies(issuer), await issuer.mint()];
  await assertKnown(await web(NEXT, withCookies(jar, bearer(token))), NEXT, user);
  assertProblem(await assertUnseen(origin, () => web(NEXT, withCookies(jar, bearer(other)))), 400);
  const key = { 'x-api-key': `he-${'a1B2'.repeat(9)}` };
  assertProblem(await assertUnseen(origin, () => api('/api/agents', { ...bearer(token), ...key })), 400);
});

const GRACE = route('run-stream').auth.grace_seconds;
const newRun = () => `/api/agent-run/${randomUUID()}/stream`;

test('a token that expired during a run opens its stream again, and nothing else', async () => {
  const claims = ago(GRACE - 60);
  const token = await issuer.mint({ claims: { ...claims, sub: randomUUID() } });
  for (const run of [newRun(), newRun()]) {
    const ways = [
      [run, bearer(token)],
      [`${run}?token=${token}`, {}],
    ];
    for (const [path, headers] of ways)
      assert.equal((await api(`${path}${path.includes('?') ? '&' : '?'}gap=1`, headers)).status, 200);
  }
  const paths = ['/api/agents', '/api/sandboxes/s1/files', `/api/agent-run/${randomUUID()}`];
  for (const path of paths)
    assertProblem(await assertUnseen(origin, () => api(path, bearer(token))), 401, path);
});

test('a token that expired too long ago opens no stream either', async () => {
  for (const seconds of [GRACE + 60, 2 * GRACE]) {
    const token = await issuer.mint({ claims: ago(seconds) });
    const answer = await assertUnseen(origin, () => api(`${newRun()}?token=${token}`));
    assertProblem(answer, 401);
    assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
  }
});

test('the grace is for expiry alone', async () => {
  const expired = ago(60);
  const bad = [
    { claims: expired, key: { ...(await newKey()), kid: issuer.keys[0].kid } },
    { claims: { ...expired, aud: 'somebody-else' } },
    { claims: { ...expired, nbf: nowSeconds() + 600 } },
    { claims: { ...expired, iss: 'https://evil.supabase.co/auth/v1' } },
    { claims: { ...expired, exp: undefined } },
  ];
  for (const options of bad) {
    const token = await issuer.mint(options);
    assertProblem(await assertUnseen(origin, () => api(`${newRun()}?token=${token}`)), 401);
  }
  for (const role of ['anon', 'service_role']) {
    const token = await issuer.mint({ claims: { ...expired, role } });
    assertProblem(await assertUnseen(origin, () => api(`${newRun()}?token=${token}`)), 403, role);
  }
});

test('bad signatures of one address are limited before they are looked at, and others go on', async () => {
  const headers = { 'cf-connecting-ip': '203.0.113.77' };
  const forger = { ...(await newKey()), kid: issuer.keys[0].kid };
  const { quota } = he2.auth.forgeries;
  const statuses = [];
  for (let count = 0; count < quota + 10; count += 1) {
    const answer = await assertUnseen(origin, async () =>
      api('/api/agents', { ...headers, ...bearer(await issuer.mint({ key: forger })) }),
    );
    statuses.push(answer.status);
    if (answer.status === 429) assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
  }
  assert.deepEqual(statuses, [...Array(quota).fill(401), ...Array(10).fill(429)]);
  const good = await issuer.mint();
  assert.equal(
    (await api('/api/agents', { ...bearer(good), 'cf-connecting-ip': '203.0.113.78' })).status,
    200,
  );
  assert.equal(
    (await api('/api/agents', { ...headers, ...bearer(good) })).status,
    200,
    'it is known to be good',
  );
});

test('the addresses of one IPv6 network count together', async () => {
  const forger = { ...(await newKey()), kid: issuer.keys[0].kid };
  let last;
  for (let count = 0; count <= he2.auth.forgeries.quota; count += 1) {
    const headers = { 'cf-connecting-ip': `2001:db8:77:1::${count.toString(16)}` };
    last = await api('/api/agents', { ...headers, ...bearer(await issuer.mint({ key: forger })) });
  }
  assert.equal(last.status, 429);
});
