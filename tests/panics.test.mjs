//! A panic: what becomes of the request, of those beside it, and of those after it. Runs the build of extra.toml.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { hold } from './harness/held.mjs';
import { startServer } from './harness/server.mjs';
import { send, startGateway, startIssuer, startOrigin, until } from './harness.mjs';

const reports = [];
const sentry = await startServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  reports.push(Buffer.concat(chunks).toString());
  response.end('{}');
});
const [origin, issuer] = [await startOrigin(), await startIssuer()];
const gateway = await startGateway({
  origin: origin.url,
  issuer: issuer.url,
  build: 'build-extra',
  vars: { SENTRY_DSN: `${sentry.url.replace('//', '//ab1@')}/42` },
});
after(() => Promise.all([gateway.close(), origin.close(), issuer.close(), sentry.stop()]));

const outcome = (answer) => answer.then((value) => value.status ?? value, (error) => error.code);

for (const when of ['now', 'later']) {
  test(`a panic (${when}) ends what waits beside it, no stream, and nothing after it`, async (t) => {
    const streams = await Promise.all(Array.from({ length: 10 }, () => hold({ origin, issuer, gateway })));
    const bodies = streams.map(({ response }) => outcome(buffer(response).then(String)));
    const waiting = [];
    origin.on('/api/health', (request, response) => waiting.push(response));
    const beside = Array.from({ length: 50 }, (_, nth) =>
      outcome(send(gateway, 'GET', `/api/health?${when}=${nth}`, { signal: AbortSignal.timeout(20_000) })),
    );
    await until(() => waiting.length === 50, 'fifty are in flight');
    const own = await outcome(send(gateway, 'GET', '/.edge/health', { headers: { 'x-test-panic': when } }));
    for (const response of waiting) response.end('{}');
    for (const { writer } of streams) writer.end('data: the end\n\n');
    origin.on('/api/health');
    const next = await outcome(send(gateway, 'GET', `/api/health?after=${when}`));
    const whole = (await Promise.all(bodies)).filter((body) => body.endsWith('data: the end\n\n'));
    const statuses = Object.groupBy(await Promise.all(beside), (status) => status);
    const counts = Object.entries(statuses).map(([status, all]) => `${all.length} x ${status}`);
    t.diagnostic(`its own: ${own}; 50 beside it: ${counts.join(', ')}; the next: ${next}`);
    t.diagnostic(`streams that went on: ${whole.length} of 10`);
    assert.deepEqual([own, Object.keys(statuses), whole.length, next], [500, ['500'], 10, 200]);
    await until(() => reports.some((text) => text.includes('as the test says')), 'Sentry hears of it');
  });
}
