//! A storage that does not take what it is given costs the client no more than a moment, and no byte.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { send, startGateway, startIssuer, startOrigin } from './harness.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';
import { disturb } from './harness/disturb.mjs';

const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, disturbed: true });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

const BODY = Buffer.alloc(4 << 20, 'every byte of it ');
/** How long a storage may keep a client waiting, with what this machine takes besides. */
const BOUND_MS = 1000 + 2000;

for (const storing of ['hangs', 'stalls']) {
  for (const [how, fields] of [
    ['of a declared length', { 'Content-Length': BODY.length }],
    ['in chunks', {}],
  ]) {
    test(`content ${how} arrives whole though storing it ${storing}, and is not stored`, async () => {
      const path = `/_next/static/chunks/${storing}-${Object.keys(fields).length}.js`;
      origin.on(path, (_request, response) =>
        response.writeHead(200, { 'Cache-Control': 'max-age=600', ...fields }).end(BODY),
      );
      const get = () => send(gateway, 'GET', path);
      await disturb(gateway.isolates[0], { storing });
      const started = Date.now();
      const answer = await get();
      const took = Date.now() - started;
      await disturb(gateway.isolates[0], { storing: 'works' });
      assert.ok(BODY.equals(answer.body), `${answer.body.length} bytes`);
      assert.ok(took < BOUND_MS, `${took} ms`);
      assert.equal(cacheStatus(await get()).fwd, 'uri-miss');
      assert.ok(BODY.equals((await untilHit(get)).body));
    });
  }
}
