//! Heads: which requests are too large or come from the wrong place, and what answers tell browsers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertProblem, assertUnseen, bearer, lastSeen, raw, rawGet, send, startAll, startGateway, statusOf } from './harness.mjs';
import { he2 } from './harness/config.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();

/** What Cloudflare says of the connection: Miniflare takes it from this field, and does not pass it on. */
const cf = (facts) => ({ 'mf-cf-blob': JSON.stringify(facts) });
/** The URL that the Worker sees, in place of the one that was asked. */
const at = (url) => ({ 'mf-original-url': url });

test('a URL or a query that nothing behind takes is 414 before anything else is done', async () => {
  for (const path of [`/api/health?${'q'.repeat(9_217)}`, `/${'p'.repeat(12_288)}`])
    assertProblem(await assertUnseen(origin, () => send(gateway, 'GET', path)), 414, path.slice(0, 20));
});

test('RFC 6585 5: too many or too large header fields are 431, and the one at fault is named', async () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, '1']));
  assertProblem(await assertUnseen(origin, () => send(gateway, 'GET', '/auth', { headers: many })), 431);
  const large = { cookie: `a=${'c'.repeat(15_360)}` };
  const { detail } = assertProblem(await send(gateway, 'GET', '/auth', { headers: large }), 431);
  assert.match(detail, /field cookie$/);
});

test('RFC 9110 4.1: a URI of 8000 bytes is taken', async () => {
  assert.equal((await send(gateway, 'GET', `/auth?${'q'.repeat(7_995)}`)).status, 200);
});

test('whoever comes from a country that is not served is refused, with no reason', async () => {
  for (const country of he2.cloudflare.blocked_countries) {
    const refused = await assertUnseen(origin, () => send(gateway, 'GET', '/auth', { headers: cf({ country }) }));
    assert.ok(!assertProblem(refused, 403).detail.includes(country));
  }
  for (const country of ['DE', 'T1', 'XX'])
    assert.equal((await send(gateway, 'GET', '/auth', { headers: cf({ country }) })).status, 200, country);
});

test('pages and data tell browsers what to refuse; so do refusals', async () => {
  const page = await send(gateway, 'GET', '/auth');
  assert.equal(page.headers['content-security-policy'], he2.security.pages.content_security_policy);
  assert.equal(page.headers['x-frame-options'], 'SAMEORIGIN');
  const refused = await send(gateway, 'GET', '/api/agents');
  assertProblem(refused, 401);
  for (const { headers } of [refused, await send(gateway, 'GET', '/api/health')]) {
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['strict-transport-security'], undefined, 'not in the clear (RFC 6797 7.2)');
  }
  const tls = await send(gateway, 'GET', '/auth', { headers: at('https://he2.ai/auth') });
  assert.match(tls.headers['strict-transport-security'], /^max-age=\d+$/);
});

test("the origin's own policy stands", async () => {
  const own = await send(gateway, 'GET', `/auth?_header=${encodeURIComponent("Content-Security-Policy:img-src 'self'")}`);
  assert.equal(own.headers['content-security-policy'], "img-src 'self'");
});

test('whoever comes in the clear is sent to TLS, where a deployment is its public host itself', async (t) => {
  const production = await startGateway({ origin: origin.url, issuer: issuer.url, vars: { DEFAULT_HOST: undefined } });
  t.after(() => production.close());
  const answer = await assertUnseen(origin, () => send(production, 'GET', '/auth?a=1'));
  assert.deepEqual([answer.status, answer.headers.location], [308, 'https://he2.ai/auth?a=1']);
  const www = await send(production, 'GET', '/auth', { host: 'www.he2.ai' });
  assert.equal(www.headers.location, 'https://he2.ai/auth', 'in one step');
  assert.equal((await send(production, 'GET', '/auth', { headers: at('https://he2.ai/auth') })).status, 200);
});

test('RFC 9110 7.6.2: OPTIONS counts down, and the gateway answers for the last', async () => {
  const options = (forwards) =>
    send(gateway, 'OPTIONS', '/api/agents', { headers: { ...bearer(token), 'max-forwards': forwards } });
  const spent = await assertUnseen(origin, () => options('0'));
  assert.equal(spent.status, 204);
  assert.match(spent.headers.allow, /GET/);
  await options('5');
  assert.equal(lastSeen(origin, '/api/agents').headers['max-forwards'], '4');
});

test('RFC 9110 9.3.8: TRACE shows nobody what the gateway adds', async () => {
  const answer = await assertUnseen(origin, () =>
    raw(gateway.rawPort, rawGet('/api/agents', 'he2.ai').replace('GET', 'TRACE')),
  );
  assert.ok([405, 501].includes(statusOf(answer)), answer.slice(0, 80));
});

test('RFC 9110 7.6.3: Via tells by which protocol the request arrived', async () => {
  await send(gateway, 'GET', '/auth', { headers: cf({ httpProtocol: 'HTTP/2' }) });
  assert.equal(lastSeen(origin, '/auth').headers.via, '2 he2-edge');
});

test('Server-Timing tells of the origin, after what it says itself', async () => {
  const answer = await send(gateway, 'GET', '/auth?_header=Server-Timing:db%3Bdur%3D7&_slow=30');
  assert.match(answer.headers['server-timing'], /^db;dur=7, origin;dur=\d+$/);
});

test('what would have a server take another request than the checked one stays outside', async () => {
  const names = ['x-http-method-override', 'x-original-url', 'x-rewrite-url', 'x-client-ip'];
  await send(gateway, 'GET', '/auth', { headers: Object.fromEntries(names.map((name) => [name, '1'])) });
  for (const name of names) assert.equal(lastSeen(origin, '/auth').headers[name], undefined, name);
});
