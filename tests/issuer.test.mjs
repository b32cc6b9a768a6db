//! Sign-ins survive their issuer: down, slow, rotating its keys; and keys that it withdraws are soon good for
//! nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startCognito } from './harness/cognito.mjs';
import { HS256_ENDS, he2 } from './harness/config.mjs';
import {
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  newKey,
  nowSeconds,
  open,
  send,
  startGateway,
  startIssuer,
  startOrigin,
  until,
} from './harness.mjs';

/** Of a token issued well before the key set was fetched: a key that is not in it is none. */
const EARLIER = { iat: nowSeconds() - 120 };

const HS256 = { alg: 'HS256' };

/** A gateway whose key set nobody has fetched yet, with an issuer that may be broken. */
async function ownGateway(t, { vars = () => ({}), ...options } = {}) {
  const origin = await startOrigin();
  const issuer = await startIssuer();
  const gateway = await startGateway({
    origin: origin.url,
    issuer: issuer.url,
    vars: vars(issuer),
    ...options,
  });
  t.after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
  /** A signed-in call with a token, or with one minted as `mint` says. */
  const call = (token, to = gateway) =>
    send(to, 'GET', '/api/agents', { host: 'api.he2.ai', headers: bearer(token) });
  const mintAndCall = async (options_) => call(await issuer.mint(options_));
  return { gateway, issuer, origin, call, mintAndCall };
}

for (const [how, break_] of [
  ['refuses connections', (issuer) => issuer.stop()],
  [
    'answers 503',
    (issuer) => {
      issuer.failing = true;
    },
  ],
]) {
  test(`a cold gateway whose issuer ${how} answers 503 and lets nobody through`, async (t) => {
    const { gateway, issuer, origin, call } = await ownGateway(t);
    const token = await issuer.mint();
    await break_(issuer);
    const answer = await assertUnseen(origin, () => call(token));
    assertProblem(answer, 503);
    assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
    assert.equal((await send(gateway, 'GET', '/api/health', { host: 'api.he2.ai' })).status, 200);
  });
}

test('a cold gateway whose issuer never answers says 503 while its caller still waits', async (t) => {
  const { issuer, call } = await ownGateway(t);
  const token = await issuer.mint();
  t.after(issuer.hold());
  const started = Date.now();
  assertProblem(await call(token), 503);
  assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`);
});

test('a warm gateway goes on with the keys it has, expired too, when the issuer is down', async (t) => {
  const { issuer, mintAndCall } = await ownGateway(t);
  issuer.maxAge = 0;
  assert.equal((await mintAndCall()).status, 200);
  await issuer.stop();
  assert.equal((await mintAndCall()).status, 200);
  const answer = await mintAndCall({ key: await newKey() }); // unknown, so the issuer is asked
  assertProblem(answer, 503);
  assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
  assert.equal((await mintAndCall()).status, 200);
});

test('keys used past their age show in the log', async (t) => {
  const { gateway, issuer, mintAndCall } = await ownGateway(t);
  issuer.maxAge = 0;
  assert.equal((await mintAndCall()).status, 200);
  issuer.failing = true;
  await until(async () => {
    assert.equal((await mintAndCall()).status, 200);
    return gateway.logs.some(({ message }) => /"degraded":\[[^\]]*keys[^\]]*503/.test(message));
  }, 'a line that says so');
});

test('keys are fetched again before they are too old, and nobody waits for that', async (t) => {
  const { issuer, mintAndCall } = await ownGateway(t);
  issuer.maxAge = 2;
  assert.equal((await mintAndCall()).status, 200);
  t.after(issuer.hold());
  await until(async () => {
    const started = Date.now();
    assert.equal((await mintAndCall()).status, 200);
    assert.ok(Date.now() - started < 4_000, 'it did not wait for the issuer, which holds its answer back');
    return issuer.jwksFetches === 2;
  }, 'a second fetch');
});

test('an issuer that is slow delays the first call and refuses none', async (t) => {
  const { issuer, call } = await ownGateway(t);
  issuer.slow = 1_000;
  const token = await issuer.mint();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(token)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(issuer.jwksFetches, 1, 'one fetch for all');
});

test('a new key works at once, and unknown keys cause at most one more fetch', async (t) => {
  const { issuer, call, mintAndCall } = await ownGateway(t);
  const old = await issuer.mint();
  assert.equal((await call(old)).status, 200);
  assert.equal(issuer.jwksFetches, 1);
  await issuer.rotate();
  assert.equal((await mintAndCall()).status, 200);
  assert.equal((await call(old)).status, 200);
  assert.equal(issuer.jwksFetches, 2);
  const forged = await Promise.all(
    Array.from({ length: 100 }, async () =>
      mintAndCall({ key: { ...(await newKey()), kid: randomUUID() }, claims: EARLIER }),
    ),
  );
  assert.deepEqual([...new Set(forged.map(({ status }) => status))], [401]);
  assert.equal(issuer.jwksFetches, 2);
});

test('a key that may be newer than what the issuer was asked a moment ago is not called bad', async (t) => {
  const { issuer, call, mintAndCall } = await ownGateway(t);
  const old = await issuer.mint();
  assert.equal((await call(old)).status, 200);
  assertProblem(await mintAndCall({ key: { ...(await newKey()), kid: randomUUID() }, claims: EARLIER }), 401);
  await issuer.rotate();
  const answer = await mintAndCall();
  assertProblem(answer, 503);
  assert.ok(Number(answer.headers['retry-after']) > 0);
  assert.equal((await call(old)).status, 200);
  assert.equal(issuer.jwksFetches, 2);
});

test('a key that the issuer has withdrawn is refused once its set is fetched again', async (t) => {
  const { issuer, call, mintAndCall } = await ownGateway(t);
  const [{ kid }] = issuer.keys;
  const old = await issuer.mint({ claims: EARLIER });
  assert.equal((await call(old)).status, 200);
  await issuer.rotate();
  issuer.revoke(kid);
  assert.equal((await mintAndCall()).status, 200);
  assert.equal(issuer.jwksFetches, 2);
  assertProblem(await call(old), 401);
});

test("a withdrawn key ends with its set's time, for remembered tokens too", async (t) => {
  const { issuer, call } = await ownGateway(t);
  issuer.maxAge = 2;
  const token = await issuer.mint();
  assert.equal((await call(token)).status, 200);
  await issuer.rotate();
  issuer.revoke(issuer.keys.at(-1).kid);
  await until(async () => (await call(token)).status === 401, 'the old key is refused', 5_000);
});

test('of 200 calls a second none is refused while the key rotates', async (t) => {
  const { gateway, issuer } = await ownGateway(t);
  const load = startLoad(t, gateway, (sub) => issuer.mint({ claims: { sub } }));
  await load.passed(200);
  await issuer.rotate();
  await load.passed(600);
  const { failed, rate } = await load.stop();
  assert.deepEqual(failed, []);
  t.diagnostic(`${Math.round(rate)} calls a second`);
});

test('a key that was published ahead is known when it signs, whatever forgers send', async (t) => {
  const { gateway, issuer, call } = await ownGateway(t);
  issuer.maxAge = 1;
  assert.equal((await call(await issuer.mint())).status, 200);
  let [key] = issuer.keys;
  const load = startLoad(t, gateway, (sub) => issuer.mint({ key, claims: { sub } }));
  const forger = await newKey();
  for (let count = 0; count < 50; count += 1)
    await call(await issuer.mint({ key: { ...forger, kid: randomUUID() } }));
  const standby = await issuer.addKey('ES256');
  const fetches = issuer.jwksFetches;
  await until(() => issuer.jwksFetches > fetches, 'the set is fetched with the standby key');
  await load.passed(100);
  key = standby;
  await load.passed(400);
  assert.deepEqual((await load.stop()).failed, []);
});

/** Calls 200 times a second, each with a token of its own, until it is stopped. */
function startLoad(t, gateway, mint) {
  const users = Array.from({ length: 50 }, () => randomUUID()); // so that no one's quota is used up
  const [calls, failed] = [[], []];
  let [sent, good, running] = [0, 0, true];
  const started = Date.now();
  t.after(() => {
    running = false;
  });
  const one = async () => {
    const headers = bearer(await mint(users[sent % users.length]));
    const answer = await open(gateway, 'GET', '/api/agents', { host: 'api.he2.ai', headers });
    answer.resume();
    if (answer.statusCode === 200) good += 1;
    else failed.push(answer.statusCode);
  };
  const fail = (error) => failed.push(error.message);
  const loop = (async () => {
    while (running) {
      for (; sent < (Date.now() - started) / 5; sent += 1) calls.push(one().catch(fail));
      await delay(5);
    }
  })();
  return {
    /** Waits until so many more have been answered well, or one has not. */
    passed: (count, from = good) =>
      until(() => good >= from + count || failed.length, `${count} calls pass`, 30_000),
    async stop() {
      running = false;
      await loop;
      await Promise.all(calls);
      return { failed, rate: (1_000 * sent) / (Date.now() - started) };
    },
  };
}

test('isolates of one data centre share the key set, also when the issuer is down', async (t) => {
  const { gateway, issuer, call } = await ownGateway(t, { isolates: 3 });
  const token = await issuer.mint();
  const [first, second, third] = gateway.isolates;
  assert.equal((await call(token, first)).status, 200);
  await until(() => gateway.stored('cache').includes('jwks'), 'the key set is shared');
  assert.equal((await call(token, second)).status, 200);
  assert.equal(issuer.jwksFetches, 1);
  await issuer.stop();
  assert.equal((await call(token, third)).status, 200);
});

test('HS256 works where its secret is set, until its end, and only with that secret', async (t) => {
  const vars = ({ hs256Secret }) => ({ [he2.issuer.supabase.hs256.secret]: hs256Secret });
  const { mintAndCall } = await ownGateway(t, { vars });
  const answer = await mintAndCall(HS256);
  assert.equal(answer.status, Date.now() < HS256_ENDS ? 200 : 401);
  assertProblem(await mintAndCall({ key: { alg: 'HS256', secret: 'guess'.repeat(8) } }), 401);
  assert.equal((await mintAndCall()).status, 200);
});

/** A gateway with both issuers. */
async function twoIssuers(t) {
  const cognito = await startCognito();
  t.after(() => cognito.close());
  return { cognito, ...(await ownGateway(t, { vars: () => cognito.vars })) };
}

test('two issuers at once: each has its own keys, audiences and names of claims', async (t) => {
  const { cognito, issuer, origin, call, mintAndCall } = await twoIssuers(t);
  assert.equal((await mintAndCall()).status, 200);
  const claims = cognito.claims();
  assert.equal((await call(await cognito.mint({ claims }))).status, 200);
  const { headers } = lastSeen(origin, '/api/agents');
  assert.equal(headers['x-he2-user'], claims.sub);
  assert.equal(headers['x-he2-session'], claims.origin_jti);
  assert.deepEqual([issuer.jwksFetches, cognito.jwksFetches], [1, 1]);
});

test("one issuer's key is no good for the other's tokens", async (t) => {
  const { cognito, issuer, origin, call, mintAndCall } = await twoIssuers(t);
  const rsa = await issuer.addKey('RS256');
  const [key] = cognito.keys;
  // The kid of the one with the key of the other, too.
  const tokens = [
    await issuer.mint({ key, claims: EARLIER }),
    await issuer.mint({ key: { ...key, kid: rsa.kid }, claims: EARLIER }),
    await cognito.mint({ key: rsa, claims: EARLIER }),
    await cognito.mint({ key: { ...rsa, kid: key.kid }, claims: EARLIER }),
    await cognito.mint({ claims: { ...EARLIER, iss: issuer.url, aud: 'authenticated', role: 'authenticated' } }),
    await issuer.mint({ claims: { ...EARLIER, iss: cognito.url, client_id: cognito.clientId, token_use: 'access' } }),
  ];
  await assertUnseen(origin, async () => {
    for (const token of tokens) assertProblem(await call(token), 401);
  });
  assert.equal((await mintAndCall({ alg: 'RS256' })).status, 200);
});

test("of the second issuer only access tokens of the app's own clients are taken", async (t) => {
  const { cognito, origin, call } = await twoIssuers(t);
  const wrong = [
    { client_id: 'somebodyelses' },
    { client_id: undefined },
    { client_id: undefined, aud: cognito.clientId },
    { token_use: 'id', aud: cognito.clientId },
    { token_use: undefined },
    { exp: nowSeconds() - 3_600, iat: nowSeconds() - 7_200 },
  ];
  await assertUnseen(origin, async () => {
    for (const claims of wrong)
      assertProblem(await call(await cognito.mint({ claims })), 401, JSON.stringify(claims));
  });
});

test('an issuer that is down takes the other one with it nowhere', async (t) => {
  const { cognito, issuer, call, mintAndCall } = await twoIssuers(t);
  const token = await issuer.mint();
  await issuer.stop();
  assertProblem(await call(token), 503);
  assert.equal((await call(await cognito.mint())).status, 200);
  cognito.failing = true;
  await issuer.restart();
  await until(async () => (await mintAndCall()).status === 200, 'the first issuer is asked again');
  assert.equal((await call(await cognito.mint())).status, 200);
});

test('an issuer without an address is none', async (t) => {
  const { call } = await ownGateway(t);
  const cognito = await startCognito();
  t.after(() => cognito.close());
  assertProblem(await call(await cognito.mint()), 401);
  assert.equal(cognito.jwksFetches, 0);
});
