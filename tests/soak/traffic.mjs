//! The pages' own traffic for minutes, at a steady pace whatever the gateway takes: what came of it.
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { mix } from '../bench/mix.mjs';
import { bearer, send } from '../harness/client.mjs';

const USERS = 200;
const PER_SECOND = 100;

/** Sends the traffic for so many `seconds`: how often each outcome was, the latencies (ms, sorted), and what the origin saw. */
export async function pagesTraffic({ origin, issuer, gateway }, { seconds }) {
  const tokens = await Promise.all(Array.from({ length: USERS }, () => issuer.mint()));
  const requests = mix({ seen: (user) => tokens[user % USERS] }, bearer, {});
  const agent = new http.Agent({ keepAlive: true });
  const [outcomes, latencies, before] = [{}, [], origin.requests.length];
  const under = [];
  const [count, began] = [seconds * PER_SECOND, Date.now()];
  for (let sent = 0; sent < count; sent += 1) {
    await delay(Math.max(0, began + (sent * 1_000) / PER_SECOND - Date.now()));
    under.push(one(gateway, requests[sent % requests.length], agent, outcomes, latencies));
  }
  await Promise.all(under);
  agent.destroy();
  const asked = origin.requests.length - before;
  return { count, outcomes, latencies: latencies.sort((a, b) => a - b), asked };
}

async function one(gateway, { method = 'GET', path, headers, size }, agent, outcomes, latencies) {
  const sent = performance.now();
  const body = size && 'x'.repeat(size);
  const options = { agent, body, headers: { ...headers, ...(body && { 'content-length': size }) } };
  const status = await send(gateway, method, path, options).then(
    (answer) => answer.status,
    (error) => error.code,
  );
  latencies.push(performance.now() - sent);
  outcomes[status] = (outcomes[status] ?? 0) + 1;
}
