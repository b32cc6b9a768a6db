//! Only a caller whose token was checked is known to the origin; whatever else a caller sends, it never
//! counts.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  newKey,
  nowSeconds,
  send,
  startAll,
  valuesOf,
} from './harness.mjs';

const HS256 = { alg: 'HS256' };
const { origin, issuer, gateway } = await startAll();
const keys = { RS256: await issuer.addKey('RS256'), EdDSA: await issuer.addKey('EdDSA') };
const api = (path, headers = {}, method = 'GET') =>
  send(gateway, method, path, { host: 'api.he2.ai', headers });
const RUN = '/api/agent-run/0b8f2c52-6f0a-4d7e-8a43-4f1d4a6f2f10/stream';

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  test(`a token signed with ${alg} opens a signed-in route, and the origin learns who it is`, async () => {
    const claims = {
      sub: '5f1c9c0e-3b0a-4f5e-9b63-8f3f1f0c1d2e',
      session_id: '9f0c1f6e-0d5e-4a39-9d3c-0d3c5d1c9b1a',
      aal: 'aal2',
    };
    const token = await issuer.mint({ alg, claims });
    assert.equal((await api('/api/agents', bearer(token))).status, 200);
    const { headers } = lastSeen(origin, '/api/agents');
    assert.equal(headers['x-he2-user'], claims.sub);
    assert.equal(headers['x-he2-session'], claims.session_id);
    assert.equal(headers['x-he2-aal'], 'aal2');
    assert.equal(headers['x-he2-role'], 'authenticated');
    assert.equal(headers.authorization, `Bearer ${token}`);
  });
}

test('an audience in a list, and clocks that differ a little, are fine', async () => {
  const good = [
    { aud: ['other', 'authenticated'] },
    { iat: nowSeconds() + 20, nbf: nowSeconds() + 20 },
    { amr: ['password'] },
  ];
  for (const claims of good) {
    assert.equal(
      (await api('/api/agents', bearer(await issuer.mint({ claims })))).status,
      200,
      JSON.stringify(claims),
    );
  }
});

test('without a token a signed-in route says how to authenticate, and no more', async () => {
  await assertUnseen(origin, async () => {
    const answer = await api('/api/agents');
    assertProblem(answer, 401);
    assert.match(answer.headers['www-authenticate'], /^Bearer realm="he2"$/);
  });
});

/** Of a token issued well before the key set was fetched: a key that is not in it is none. */
const EARLIER = { iat: nowSeconds() - 120 };

const BAD = {
  "signed with a key that is not the issuer's": async () =>
    issuer.mint({ key: { ...(await newKey()), kid: issuer.keys[0].kid } }),
  'of an unknown key': async () => issuer.mint({ key: await newKey(), claims: EARLIER }),
  'with alg none': () => issuer.mint({ header: { alg: 'none' } }),
  'with alg none and a known kid': () => issuer.mint({ header: { alg: 'none', kid: issuer.keys[0].kid } }),
  'with HS256 and the public key as secret': () =>
    issuer.mint({ key: { alg: 'HS256', kid: keys.RS256.kid, secret: JSON.stringify(keys.RS256.jwk) } }),
  'with HS256 where no secret is set': () => issuer.mint(HS256),
  "with an alg that is not its key's": async () =>
    issuer.mint({ key: { ...(await newKey('EdDSA')), kid: issuer.keys[0].kid }, claims: EARLIER }),
  'with a header that names a key of its own': async () => {
    const key = await newKey();
    return issuer.mint({ key, header: { jwk: key.jwk }, claims: EARLIER });
  },
  // Longer ago than a stream forgives.
  'that expired': () => issuer.mint({ claims: { exp: nowSeconds() - 20_000, iat: nowSeconds() - 30_000 } }),
  'without exp': () => issuer.mint({ claims: { exp: undefined } }),
  'that is not valid yet': () => issuer.mint({ claims: { nbf: nowSeconds() + 120 } }),
  'for another audience': () => issuer.mint({ claims: { aud: 'somebody-else' } }),
  'without an audience': () => issuer.mint({ claims: { aud: undefined } }),
  'of another issuer': () => issuer.mint({ claims: { iss: 'https://evil.supabase.co/auth/v1' } }),
  'without an issuer': () => issuer.mint({ claims: { iss: undefined } }),
  'without a subject': () => issuer.mint({ claims: { sub: undefined } }),
  'with a changed payload': async () => {
    const [head, , signature] = (await issuer.mint()).split('.');
    return `${head}.${(await issuer.mint()).split('.')[1]}.${signature}`;
  },
  'without its signature': async () => `${(await issuer.mint()).split('.').slice(0, 2).join('.')}.`,
  'that is too long': () => issuer.mint({ claims: { user_metadata: { bio: 'x'.repeat(5_900) } } }),
  'that is no JWT': () => 'not-a-token',
  'that is a publishable key': () => 'sb_publishable_0123456789abcdefghijkl_01234567',
};

for (const [name, mint] of Object.entries(BAD)) {
  test(`a token ${name} is refused everywhere and never reaches the origin`, async () => {
    const token = await mint();
    const ways = [
      ['/api/agents', bearer(token)],
      ['/api/sandboxes/sb1/files', bearer(token)],
      [RUN, bearer(token)],
      [`${RUN}?token=${token}`, {}],
    ];
    for (const [path, headers] of ways) {
      const answer = await assertUnseen(origin, () => api(path, headers));
      assertProblem(answer, 401, path);
      assert.match(answer.headers['www-authenticate'], /^Bearer realm="he2".*error="invalid_token"/, path);
    }
  });
}

test('the keys of a project and anonymous roles are not users', async () => {
  for (const role of ['anon', 'service_role']) {
    const token = await issuer.mint({ claims: { role } });
    const answer = await assertUnseen(origin, () => api('/api/agents', bearer(token)));
    assertProblem(answer, 403, role);
    assert.match(answer.headers['www-authenticate'], /error="insufficient_scope"/);
  }
});

test('on an optional route a caller without a token is anonymous, with one is known', async () => {
  const path = '/api/sandboxes/sb2/files';
  assert.equal((await api(path)).status, 200);
  assert.equal(lastSeen(origin, path).headers['x-he2-user'], undefined);
  const claims = { sub: '3c1f1f0c-1d2e-4f5e-9b63-5f1c9c0e3b0a' };
  assert.equal((await api(path, bearer(await issuer.mint({ claims })))).status, 200);
  assert.equal(lastSeen(origin, path).headers['x-he2-user'], claims.sub);
});

test('on a public route credentials are dropped, not checked', async () => {
  const headers = { ...bearer('nonsense'), 'x-api-key': `pk_${'a'.repeat(32)}:sk_${'b'.repeat(32)}` };
  assert.equal((await api('/api/triggers/providers', headers)).status, 200);
  const seen = lastSeen(origin, '/api/triggers/providers').headers;
  for (const name of ['authorization', 'x-api-key', 'x-he2-user']) assert.equal(seen[name], undefined, name);
});

test('on a stream route the query token is moved into the header and leaves the URL', async () => {
  const token = await issuer.mint();
  const answer = await api(`${RUN}?gap=1&token=${token}&frames=1`);
  assert.equal(answer.status, 200);
  const seen = lastSeen(origin, RUN);
  assert.equal(seen.url, `${RUN}?gap=1&frames=1`);
  assert.equal(seen.headers.authorization, `Bearer ${token}`);
  assert.ok(!seen.rawHeaders.some((value) => value.includes('token=')));
});

test('two tokens at once are a bad request', async () => {
  const token = await issuer.mint();
  assertProblem(await assertUnseen(origin, () => api(`${RUN}?token=${token}`, bearer(token))), 400);
  assertProblem(await assertUnseen(origin, () => api(`${RUN}?token=${token}&token=${token}`)), 400);
});

test('a query token counts on stream routes only', async () => {
  const token = await issuer.mint();
  const answer = await assertUnseen(origin, () => api(`/api/agents?token=${token}`));
  assertProblem(answer, 401);
});

test('API keys of the right shape pass to the origin, which checks them', async () => {
  const keysOfBothKinds = [`pk_${'aB3'.repeat(10)}xy:sk_${'Zz9'.repeat(10)}xy`, `he-${'a1B2'.repeat(9)}`];
  for (const key of keysOfBothKinds) {
    assert.equal((await api('/api/threads', { 'x-api-key': key })).status, 200, key);
    const seen = lastSeen(origin, '/api/threads').headers;
    assert.equal(seen['x-api-key'], key);
    assert.equal(seen['x-he2-user'], undefined);
  }
});

test('API keys of another shape are refused', async () => {
  const wrong = [
    'x',
    'pk_short:sk_short',
    `pk_${'a'.repeat(32)}`,
    `pk_${'a'.repeat(32)}:sk_${'b'.repeat(33)}`,
    `he-${'a'.repeat(35)}`,
    `pk_${'-'.repeat(32)}:sk_${'b'.repeat(32)}`,
    'sb_secret_0123456789abcdefghijkl_01234567',
  ];
  for (const key of wrong) {
    assertProblem(await assertUnseen(origin, () => api('/api/threads', { 'x-api-key': key })), 401, key);
  }
});

test("the operators' routes open with their key only", async () => {
  const path = '/api/send-welcome-email';
  const { ADMIN_API_KEY } = gateway.vars;
  assert.equal((await api(path, { 'x-admin-api-key': ADMIN_API_KEY }, 'POST')).status, 200);
  const user = bearer(await issuer.mint());
  assertProblem(await assertUnseen(origin, () => api(path, user, 'POST')), 401);
  for (const key of ['wrong', ADMIN_API_KEY.slice(0, -1), `${ADMIN_API_KEY}0`, ADMIN_API_KEY.toUpperCase()]) {
    assertProblem(await assertUnseen(origin, () => api(path, { 'x-admin-api-key': key }, 'POST')), 403, key);
  }
});

test('shared sandboxes are not changed by anybody unknown', async () => {
  const changes = [
    ['POST', '/api/sandboxes/sb3/files'],
    ['DELETE', '/api/sandboxes/sb3/files'],
    ['DELETE', '/api/sandboxes/sb3'],
    ['POST', '/api/mcp/discover-custom-tools'],
  ];
  for (const [method, path] of changes) {
    assertProblem(await assertUnseen(origin, () => api(path, {}, method)), 401, path);
  }
});

test('identity fields of a client never reach the origin', async () => {
  const forged = {
    'X-He2-User': 'root',
    'x-he2-role': 'service_role',
    'X-HE2-SESSION': 's',
    'X-He2-Aal': 'aal3',
    'X-He2-Origin-Lock': 'guess',
    'X-He2-Anything': '1',
  };
  const claims = { sub: '7a1c9c0e-3b0a-4f5e-9b63-8f3f1f0c1d2e' };
  await api('/api/agents', { ...forged, ...bearer(await issuer.mint({ claims })) });
  const seen = lastSeen(origin, '/api/agents').rawHeaders;
  assert.deepEqual(valuesOf(seen, 'x-he2-user'), [claims.sub]);
  assert.deepEqual(valuesOf(seen, 'x-he2-role'), ['authenticated']);
  assert.deepEqual(valuesOf(seen, 'x-he2-aal'), ['aal1']);
  assert.deepEqual(valuesOf(seen, 'x-he2-origin-lock'), [gateway.vars.ORIGIN_LOCK]);
  assert.deepEqual(valuesOf(seen, 'x-he2-anything'), []);
  await api('/api/triggers/providers', forged);
  const anonymous = lastSeen(origin, '/api/triggers/providers').rawHeaders;
  for (const name of ['x-he2-user', 'x-he2-role', 'x-he2-session', 'x-he2-aal'])
    assert.deepEqual(valuesOf(anonymous, name), []);
});
