//! What a small cache hit costs in processor time, beside a Worker that only passes requests on. The figure depends on
//! the machine and what else it does, so it is told, and only a gross failure fails.
import assert from 'node:assert/strict';
import http from 'node:http';
import test, { after } from 'node:test';
import { send, startAll } from './harness.mjs';
import { startBare } from './harness/bare.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';
import { cpuMs, workerds } from './harness/process.mjs';

const GOAL = 0.7;
const BOUND = 2;
const ROUNDS = 7;
const REQUESTS = 1000;
const AT_ONCE = 8;
const PATH = '/_next/static/chunks/cpu.js';
/** What a browser and the platform in front send along. */
const FIELDS = {
  accept: '*/*',
  'accept-encoding': 'gzip, br',
  'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
  'cf-connecting-ip': '192.0.2.7',
  'cf-ipcountry': 'DE',
  'cf-ray': '8f2c4d1e2a3b4c5d-FRA',
  'cf-visitor': '{"scheme":"https"}',
  referer: 'https://he2.ai/dashboard',
  'sec-fetch-dest': 'script',
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-site': 'same-origin',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'x-forwarded-proto': 'https',
};

const { origin, gateway } = await startAll();
const known = new Set(workerds());
const bare = await startBare(origin.url);
after(() => bare.close());
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
after(() => agent.destroy());
const processOf = (isKnown) => {
  const ids = workerds().filter((id) => known.has(id) === isKnown);
  assert.equal(ids.length, 1, 'a workerd each');
  return ids[0];
};
const workers = {
  hit: { port: gateway.rawPort, id: processOf(true) },
  bare: { port: bare.port, id: processOf(false) },
};

const get = (worker) => send(worker, 'GET', PATH, { headers: FIELDS, agent });

/** Processor time of a request, in milliseconds, over many of them. */
async function round(worker) {
  const before = cpuMs(worker.id);
  let left = REQUESTS;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await get(worker);
      assert.equal(answer.status, 200);
      assert.equal(cacheStatus(answer)?.hit ?? false, worker === workers.hit);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return (cpuMs(worker.id) - before) / REQUESTS;
}

const median = (figures) => figures.toSorted((one, other) => one - other)[Math.floor(figures.length / 2)];

test('a small hit costs little beside passing the request on', async (t) => {
  await untilHit(() => get(workers.hit));
  await round(workers.hit);
  await round(workers.bare);
  const costs = { hit: [], bare: [] };
  for (let count = 0; count < ROUNDS; count += 1)
    for (const [name, worker] of Object.entries(workers)) costs[name].push(await round(worker));
  const [hit, pass] = [median(costs.hit), median(costs.bare)];
  const figures = `${hit.toFixed(3)} ms a hit, ${pass.toFixed(3)} ms a request passed on`;
  t.diagnostic(`${figures}: ${(hit / pass).toFixed(2)} (goal: under ${GOAL})`);
  assert.ok(hit < pass * BOUND, figures);
});
