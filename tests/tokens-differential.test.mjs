//! The gateway takes exactly the tokens that `jose` takes, less those that a listed reason speaks against
//! (`harness/oracle.mjs`). TOKENS_SEED repeats a run, TOKENS_COUNT makes it longer or shorter.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomInt } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { exportJWK } from 'jose';
import { startCognito } from './harness/cognito.mjs';
import { HS256_ENDS, he2 } from './harness/config.mjs';
import { REASONS, oracle } from './harness/oracle.mjs';
import { seeded } from './harness/random.mjs';
import { CATEGORIES, cases, signing, strangers } from './harness/token-cases.mjs';
import { bearer, newKey, open, startAll } from './harness.mjs';

const SEED = Number(process.env.TOKENS_SEED ?? randomInt(2 ** 32));
const COUNT = Number(process.env.TOKENS_COUNT ?? 30_000);
const AT_ONCE = 48;
const USERS = 100; // so that no one's quota of the route is used up

const cognito = await startCognito();
const secret = 'a shared secret of the project, '.repeat(2);
const vars = { ...cognito.vars, [he2.issuer.supabase.hs256.secret]: secret };
const { origin, issuer, gateway } = await startAll(vars);
test.after(() => cognito.close());

const random = seeded(SEED);
const users = Array.from({ length: USERS }, () => random.uuid());
const world = await newWorld();
const judge = oracle({
  [issuer.url]: {
    name: 'supabase',
    jwks: { keys: issuer.keys.map(({ jwk }) => jwk) },
    secret: Date.now() < HS256_ENDS ? new TextEncoder().encode(secret) : undefined,
    audiences: he2.issuer.supabase.audiences,
  },
  [cognito.url]: {
    name: 'cognito',
    jwks: { keys: cognito.keys.map(({ jwk }) => jwk) },
    audiences: cognito.vars.COGNITO_CLIENTS.split(' '),
  },
});

test(`${COUNT} tokens get jose's verdict, or a stricter one for a listed reason`, async (t) => {
  t.diagnostic(`TOKENS_SEED=${SEED}`);
  const counts = new Counts();
  const source = cases(random, world);
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let left = COUNT;
  const sendAll = async () => {
    while (left > 0) {
      left -= 1;
      const one = source.next().value;
      counts.add(one, await compare(one, agent));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendAll));
  agent.destroy();
  counts.report(t);
  assert.deepEqual(counts.wrong.slice(0, 10), [], `${counts.wrong.length} wrong verdicts`);
  assert.equal(origin.requests.length, counts.sent, 'the origin saw what was accepted and nothing else');
  assert.deepEqual(counts.unmet(), [], 'no category and no reason without a token');
});

/** Sends a token, some twice, and says what is wrong with the verdict. */
async function compare({ category, token }, agent) {
  const before = Date.now();
  const accepted = await verdict(token, agent);
  const again = random.chance(20) ? await verdict(token, agent) : undefined;
  const after = Date.now();
  const first = await expected(token, before);
  const last = inSeconds(before) === inSeconds(after) ? first : await expected(token, after);
  const race = first.accepted !== last.accepted;
  const right = race || (accepted === first.accepted && (again ?? accepted) === accepted);
  const said = {
    category,
    token: token.slice(0, 2_000),
    parts: decoded(token),
    accepted,
    again,
    expected: first,
  };
  return { accepted, again, race, reasons: first.reasons, wrong: right ? undefined : said };
}

const inSeconds = (ms) => Math.floor(ms / 1_000);

async function expected(token, at) {
  const taken = await judge.accepts(token, at);
  const reasons = taken ? judge.reasons(token, at) : [];
  return { accepted: taken && reasons.length === 0, reasons };
}

/** Whether the gateway takes it, from a network of its own: bad signatures are limited by address. */
async function verdict(token, agent) {
  const network = random.bytes(6).toString('hex').match(/.{4}/g).join(':');
  const headers = { ...bearer(token), 'cf-connecting-ip': `2001:${network}::1` };
  const answer = await open(gateway.isolates[0], 'GET', '/api/agents', {
    host: 'api.he2.ai',
    headers,
    agent,
  });
  answer.resume();
  const { statusCode: status } = answer;
  // 503: of a key that may be newer than what the issuer was asked a moment ago. jose must refuse that, too.
  // 431: of a token that no head has room for.
  assert.ok([200, 400, 401, 403, 431, 503].includes(status), `${status} for ${token}`);
  return status === 200;
}

const decoded = (token) =>
  token.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString().slice(0, 2_000));

class Counts {
  sent = 0;
  wrong = [];
  #categories = new Map(CATEGORIES.map((name) => [name, { accepted: 0, refused: 0, races: 0 }]));
  #reasons = new Map(REASONS.map(({ name }) => [name, 0]));

  add({ category }, { accepted, again, reasons, race, wrong }) {
    if (wrong) this.wrong.push(wrong);
    const counts = this.#categories.get(category);
    counts[accepted ? 'accepted' : 'refused'] += 1;
    counts.races += race ? 1 : 0;
    this.sent += (accepted ? 1 : 0) + (again ? 1 : 0);
    for (const name of reasons) this.#reasons.set(name, this.#reasons.get(name) + 1);
  }

  report(t) {
    for (const [name, { accepted, refused, races }] of this.#categories)
      t.diagnostic(`${name}: ${accepted} accepted, ${refused} refused, ${races} between two seconds`);
    for (const [name, count] of this.#reasons) t.diagnostic(`stricter, ${name}: ${count}`);
  }

  unmet() {
    const categories = [...this.#categories].filter(
      ([name, { accepted, refused }]) => (name === 'untouched' ? accepted : refused) === 0,
    );
    return [...categories, ...[...this.#reasons].filter(([, count]) => count === 0)].map(([name]) => name);
  }
}

/** Both issuers' keys and claims; see `cases`. */
async function newWorld() {
  for (const alg of ['ES256', 'RS256', 'EdDSA']) await issuer.addKey(alg);
  const good = issuer.keys.map(signing);
  const decoys = await newDecoys();
  for (const key of decoys) issuer.publish(key);
  // The same kid at both issuers.
  cognito.keys.push({ ...(await newKey('RS256')) });
  const [, shared] = cognito.keys;
  shared.kid = good.find(({ alg }) => alg === 'RS256').kid;
  shared.jwk.kid = shared.kid;
  return {
    supabase: {
      iss: issuer.url,
      keys: [...good, { alg: 'HS256', secret }],
      claims: (choice) => issuer.claims({ sub: choice.pick(users) }),
    },
    cognito: {
      iss: cognito.url,
      keys: cognito.keys.map(signing),
      claims: (choice) => cognito.claims({ sub: choice.pick(users) }),
    },
    decoys,
    strangers: await strangers(),
    maxTokenBytes: he2.auth.max_token_bytes,
  };
}

/** Keys that stand in the set and are not for the signatures of tokens, by what they say or are. */
async function newDecoys() {
  const changed = async (alg, change) => {
    const key = signing(await newKey(alg));
    return { ...key, jwk: { ...key.jwk, ...change } };
  };
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const kid = random.uuid();
  const jwk = { ...(await exportJWK(short.publicKey)), kid, alg: 'RS256', use: 'sig' };
  const published = { alg: 'HS256', kid: random.uuid(), secret: 'published'.repeat(4) };
  const k = Buffer.from(published.secret).toString('base64url');
  const { privateKey } = await newKey('ES256');
  return [
    await changed('ES256', { use: 'enc' }),
    await changed('ES256', { key_ops: ['sign'] }),
    await changed('RS256', { alg: 'RS512' }),
    await changed('ES384', {}),
    { alg: 'RS256', kid, object: short.privateKey, jwk },
    { ...published, jwk: { kty: 'oct', k, kid: published.kid, alg: 'HS256', use: 'sig' } },
  ].concat(await withPrivatePart(privateKey));
}

/** A private key in a public set. */
async function withPrivatePart(privateKey) {
  const key = signing({ alg: 'ES256', kid: random.uuid(), privateKey });
  return [{ ...key, jwk: { ...(await exportJWK(privateKey)), kid: key.kid, alg: 'ES256', use: 'sig' } }];
}
