//! The pages' analytics go on to PostHog without the app, and without saying who calls.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { Response } from 'miniflare';
import { bearer, send, startGateway, startIssuer } from './harness.mjs';

/** PostHog, as far as it is asked: it would speak for our host if it could. */
const asked = [];
async function posthog(request) {
  const { hostname, pathname, search } = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  asked.push({ hostname, path: pathname + search, method: request.method, headers, text: await request.text() });
  return new Response('{"status":1}', {
    headers: {
      'content-type': 'application/json',
      'cache-control': 'max-age=60',
      'set-cookie': 'ph=1; Path=/',
      'clear-site-data': '"*"',
      'content-security-policy': 'default-src *',
    },
  });
}

const issuer = await startIssuer();
const gateway = await startGateway({ origin: 'http://127.0.0.1:9', issuer: issuer.url, outbound: posthog });
after(() => Promise.all([gateway.close(), issuer.close()]));

test('events go to PostHog, with what they are and from which address, and nothing that signs anybody in', async () => {
  const headers = {
    ...bearer(await issuer.mint()),
    cookie: 'sb-he2-auth-token.0=base64-one',
    referer: 'https://he2.ai/auth/callback?code=secret',
    'content-type': 'application/json',
    'cf-connecting-ip': '198.51.100.7',
  };
  const body = '{"event":"$pageview"}';
  const answer = await send(gateway, 'POST', '/ingest/e/?ip=1', { headers, body });
  assert.equal(answer.status, 200);
  const { hostname, path, method, headers: told, text } = asked.at(-1);
  assert.deepEqual([hostname, path, method, text], ['eu.i.posthog.com', '/e/?ip=1', 'POST', body]);
  assert.equal(told['content-type'], 'application/json');
  assert.equal(told['x-forwarded-for'], '198.51.100.7');
  for (const name of ['authorization', 'cookie', 'referer', 'x-he2-user', 'x-he2-origin-lock', 'x-he2-identity'])
    assert.equal(told[name], undefined, name);
});

test("PostHog's scripts come from where they are kept", async () => {
  const { status } = await send(gateway, 'GET', '/ingest/static/array.js');
  assert.equal(status, 200);
  const { hostname, path } = asked.at(-1);
  assert.deepEqual([hostname, path], ['eu-assets.i.posthog.com', '/static/array.js']);
});

test('what PostHog answers does not speak for our host', async () => {
  const { headers, json } = await send(gateway, 'GET', '/ingest/decide');
  assert.deepEqual([headers['cache-control'], json], ['max-age=60', { status: 1 }]);
  assert.equal(headers['set-cookie'], undefined);
  assert.equal(headers['clear-site-data'], undefined);
  assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
});
