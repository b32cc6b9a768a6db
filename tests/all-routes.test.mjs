//! Every route of the app, with every kind of caller: what comes back, and whether the app saw it.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { assertProblem, bearer, newKey, nowSeconds, send, startAll } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const forger = { ...(await newKey()), kid: issuer.keys[0].kid };

/** The lines of a table of `edge/config/tests`, by method and path. */
function table(name) {
  const text = readFileSync(new URL(`../edge/config/tests/${name}.tsv`, import.meta.url), 'utf8');
  const lines = text
    .split('\n')
    .filter((line) => line && !line.startsWith('#') && !line.startsWith('method'));
  return new Map(
    lines.map((line) => line.split('\t')).map(([method, path, auth]) => [`${method} ${path}`, auth]),
  );
}
const APP = table('app-routes');
const ROUTES = new Map([...APP, ...table('stricter-routes')]);

const hour = 3_600;
const expired = () => ({ exp: nowSeconds() - hour, iat: nowSeconds() - 2 * hour });
const CALLERS = {
  none: () => ({}),
  good: async () => bearer(await issuer.mint()),
  expired: async () => bearer(await issuer.mint({ claims: expired() })),
  forged: async () => bearer(await issuer.mint({ key: forger })),
  'wrong role': async () => bearer(await issuer.mint({ claims: { role: 'service_role' } })),
  'API key': () => ({
    'x-api-key': `pk_${randomBytes(16).toString('hex')}:sk_${randomBytes(16).toString('hex')}`,
  }),
};

/** The status for each caller, in the order of `CALLERS`. The app sees what is 200, and nothing else. */
const STATUSES = {
  PUBLIC: [200, 200, 200, 200, 200, 200], // whatever is sent is dropped
  OPTIONAL: [200, 200, 401, 401, 403, 200], // an API key is dropped
  USER: [401, 200, 401, 401, 403, 200],
  USER_OR_QUERY_TOKEN: [401, 200, 200, 401, 403, 200], // expired an hour ago, which a run may outlast
  ADMIN_KEY: [401, 401, 401, 401, 401, 401],
  SIGNED_WEBHOOK: [400, 400, 400, 400, 400, 400],
  BLOCKED: [404, 404, 404, 404, 404, 404],
};
/** Whether the app is told of a user, and of an API key, where it sees the request. */
const KNOWN = { good: ['OPTIONAL', 'USER', 'USER_OR_QUERY_TOKEN'], expired: ['USER_OR_QUERY_TOKEN'] };
const KEYED = ['USER', 'USER_OR_QUERY_TOKEN'];

test('the tables hold all routes of the app', () => {
  assert.equal(APP.size, 153);
  for (const route of ROUTES.keys()) assert.ok(APP.has(route), route);
  assert.deepEqual([...new Set(ROUTES.values())].sort(), Object.keys(STATUSES).sort());
});

for (const [index, [caller, fields]] of Object.entries(CALLERS).entries()) {
  test(`every route with ${caller === 'none' ? 'no credential' : caller}`, async () => {
    const cells = [...ROUTES].map(async ([route, auth]) => {
      const [method, pattern] = route.split(' ');
      // Its own values, query and address, so that neither the cache nor a limit answers for the route.
      const path = `${pattern.replace(/\{[^}]*\}/g, () => `p-${randomUUID()}`)}?cell=${randomUUID()}`;
      const network = randomBytes(6).toString('hex').match(/.{4}/g).join(':');
      const headers = {
        ...(await fields()),
        'cf-connecting-ip': `2001:${network}::1`,
        'content-length': '0',
      };
      const answer = await send(gateway, method, path, { host: 'api.he2.ai', headers });
      assertCell({ route, auth, caller, status: STATUSES[auth][index], headers }, answer, origin.seen(path));
    });
    await Promise.all(cells);
  });
}

function assertCell({ route, auth, caller, status, headers }, answer, seen) {
  const what = `${route} (${auth}), ${caller}`;
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  assert.equal(seen.length, status === 200 ? 1 : 0, what);
  if (status !== 200) return assertProblem(answer, status, what);
  const [{ headers: arrived }] = seen;
  const known = KNOWN[caller]?.includes(auth) ?? false;
  assert.equal(arrived['x-he2-user'] !== undefined, known, what);
  assert.equal(arrived.authorization, known ? headers.authorization : undefined, what);
  return assert.equal(arrived['x-api-key'], KEYED.includes(auth) ? headers['x-api-key'] : undefined, what);
}
