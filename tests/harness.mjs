//! What every test starts from: an origin that behaves like the app, a token issuer, and the built Worker in
//! workerd between them, all on loopback ports of their own.
import { after } from 'node:test';
import { startGateway } from './harness/gateway.mjs';
import { startIssuer } from './harness/issuer.mjs';
import { startOrigin } from './harness/origin.mjs';

export { COOKIES } from './harness/app.mjs';
export { bearer, open, raw, rawGet, send, statusOf, until } from './harness/client.mjs';
export { assertProblem, assertUnseen, lastSeen, valuesOf } from './harness/expect.mjs';
export { runFrames } from './harness/stream.mjs';
export { newKey, nowSeconds, signToken } from './harness/token.mjs';
export { startGateway, startIssuer, startOrigin };

/** Origin, issuer and gateway for one test file, stopped when its tests are done. */
export async function startAll(vars = {}) {
  const origin = await startOrigin();
  const issuer = await startIssuer();
  const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, vars });
  after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
  return { origin, issuer, gateway };
}
