//! Two upstreams: each gets its share, a caller stays with one, and where a route says so a slow one is not
//! waited for.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { send, startGateway, startIssuer, until } from './harness.mjs';
import { page, startChaosOrigin } from './harness/chaos.mjs';
import { he2, route } from './harness/config.mjs';

const [main, canary] = [await startChaosOrigin(), await startChaosOrigin()];
const issuer = await startIssuer();
const vars = { ORIGIN_CANARY: canary.url };
const gateway = await startGateway({ origin: main.url, issuer: issuer.url, vars });
after(() => Promise.all([gateway.close(), main.stop(), canary.stop(), issuer.close()]));

const HEDGE = route('next-flags').hedge_ms;

/** What the log says of the request that got an answer. */
async function logged(answer) {
  const id = answer.headers['x-request-id'];
  const line = await until(() => gateway.logs.find(({ message }) => message.includes(id)), 'a log line');
  return JSON.parse(line.message);
}

/** The page as the nth caller, and which upstream gave it. */
async function visit(n) {
  const { path, options } = page(n);
  const answer = await send(gateway, 'GET', path, options);
  assert.equal(answer.status, 200, answer.text);
  return (await logged(answer)).upstream;
}

test('each upstream gets its share of the callers, however many come at once', async () => {
  const weights = he2.origin.upstream.map(({ weight }) => weight);
  assert.deepEqual(weights, [95, 5]);
  const asked = canary.seen;
  const visits = await Promise.all(Array.from({ length: 400 }, (_, n) => visit(n)));
  const share = visits.filter((upstream) => upstream === 'canary').length;
  assert.equal(canary.seen - asked, share, 'the log says who was asked');
  // The mean is 20, its standard deviation 4.4; the addresses are always the same ones.
  assert.ok(share > 5 && share < 45, `${share} of 400`);
});

test('a caller stays with its upstream', async () => {
  const first = await Promise.all(Array.from({ length: 60 }, (_, n) => visit(n)));
  const second = await Promise.all(Array.from({ length: 60 }, (_, n) => visit(n)));
  assert.deepEqual(second, first);
  assert.ok(new Set(first).size === 2, 'there are callers of both');
});

test('where a route says so, a silent upstream is not waited for', async () => {
  const flags = (n) => send(gateway, 'GET', `/api/edge-flags?n=${n}`, page(n).options);
  await flags(0);
  main.mode = 'is slow to its head';
  const started = Date.now();
  const answer = await flags(1);
  const took = Date.now() - started;
  main.mode = 'good';
  assert.equal(answer.status, 200, answer.text);
  assert.ok(took >= HEDGE && took < 1_400, `${took} ms`);
  const { upstream, tries } = await logged(answer);
  assert.deepEqual({ upstream, tries }, { upstream: 'canary', tries: 2 });
});

test('with no upstream at all the Worker says so in its log, and 500 to its callers', async () => {
  const none = await startGateway({ origin: main.url, issuer: issuer.url, vars: { ORIGIN: undefined } });
  try {
    const answer = await send(none, 'GET', '/');
    assert.ok(answer.status >= 500, answer.text);
    const isSaid = ({ message }) => message.includes("no upstream's variable");
    await until(() => none.logs.some(isSaid), 'a log line');
  } finally {
    await none.close();
  }
});
