//! What tests of limits share: callers, load from several isolates, and what answers say of their limit.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import { after } from 'node:test';
import { parseList } from 'structured-headers';
import { bearer, send, until } from './client.mjs';
import { seeded } from './random.mjs';
import { HOUR, nowSeconds } from './token.mjs';

/** Callers of a limit, with these claims. Those of one `shard` (0 to 63) share a Durable Object. */
export async function newCallers(issuer, limit, count, { shard, ...claims } = {}) {
  const callers = [];
  while (callers.length < count) {
    const sub = claims.sub ?? randomUUID();
    const key = `${limit}/user/${sub}`;
    if (shard !== undefined && shardOf(key) !== shard) continue;
    // Of use to isolates whose clocks are hours off.
    const times = { iat: nowSeconds() - 4 * HOUR, exp: nowSeconds() + 8 * HOUR };
    callers.push({ key, headers: bearer(await issuer.mint({ claims: { ...times, ...claims, sub } })) });
  }
  return callers;
}

/** Which of the limiter's objects counts for a key. */
export const shardOf = (key) => createHash('sha256').update(key).digest()[0] % 64;

/** Sends requests straight into isolates, over so many kept connections to each. */
export function startLoad(gateway, sockets = 4) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
  after(() => agent.destroy());
  const random = seeded(1);
  const isolates = gateway.isolates.map((_, index) => index);
  const call = async (caller, isolate, { method, path }) => {
    const started = performance.now();
    const { port } = gateway.isolates[isolate];
    const headers = { host: 'api.he2.ai', ...caller.headers };
    const answer = await exchange({ host: '127.0.0.1', port, method, path, headers, agent });
    return { ...answer, isolate, caller, ms: performance.now() - started, at: Date.now() };
  };
  return {
    /** One call of a caller by way of an isolate. */
    call,
    /** So many calls of each caller, through these isolates at random, all connections in use. */
    async mixed(callers, each, what, through = isolates) {
      const [answers, total] = [[], callers.length * each];
      let sent = 0;
      const worker = async () => {
        while (sent < total)
          answers.push(await call(callers[sent++ % callers.length], random.pick(through), what));
      };
      await Promise.all(Array.from({ length: sockets * through.length }, worker));
      return answers;
    },
  };
}

/** One request without the harness's search for secrets, which would slow down thousands. */
function exchange(options) {
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers }));
    });
    request.on('error', reject).end();
  });
}

/** A call that each limit counts. */
export const CALLS = {
  api: { method: 'GET', path: '/api/agents' },
  runs: { method: 'POST', path: '/api/agent/initiate' },
  'public-api': { method: 'GET', path: '/api/v1/public/threads' },
};

/** `RateLimit` and its policies as `{ name: { q, w, r, t } }`. */
export function rateLimit({ headers }) {
  const items = [...parseList(headers['ratelimit-policy']), ...parseList(headers.ratelimit)];
  const windows = {};
  for (const [name, parameters] of items)
    windows[name] = { ...windows[name], ...Object.fromEntries(parameters) };
  return windows;
}

/** Whether the limiter counted the request, and did not only go on without. */
export const isCounted = ({ headers }) => headers.ratelimit !== undefined;

/** How many requests of a caller were counted and passed. */
export const passedOf = (caller, answers) =>
  answers.filter((answer) => answer.caller === caller && answer.status === 200 && isCounted(answer)).length;

/** The log's lines of these answers' requests. */
export async function linesOf(gateway, answers) {
  const ids = new Set(answers.map(({ headers }) => headers['x-request-id']));
  const isRecord = ({ message }) => message.startsWith('{'); // and not the platform's own
  const records = () => gateway.logs.filter(isRecord).map(({ message }) => JSON.parse(message));
  const lines = () => records().filter(({ request_id: id }) => ids.has(id));
  await until(() => lines().length === answers.length, 'each request is logged');
  return lines();
}

/** That what an answer says of its limit can be read and makes sense. */
export function assertSane(answer) {
  const windows = rateLimit(answer);
  for (const [name, { q, w, r = 0, t = 1 }] of Object.entries(windows)) {
    const said = `${name} of ${JSON.stringify(windows)}`;
    assert.ok(q > 0 && w > 0, said);
    assert.ok(r >= 0 && r <= q && t >= 0 && t <= w, said);
  }
  for (const name of ['limit', 'remaining', 'reset'])
    assert.match(answer.headers[`x-ratelimit-${name}`], /^\d+$/, name);
  if (answer.status !== 429) return;
  const wait = Number(answer.headers['retry-after']);
  const longest = Math.max(...Object.values(windows).map(({ w }) => w));
  assert.ok(wait >= 1 && wait <= longest, `Retry-After: ${answer.headers['retry-after']}`);
}

/** What operators see of a key (`GET` of `{ key }`), or make of it. */
export async function operate(gateway, method, asked) {
  const query = Object.entries(asked).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const body = JSON.stringify(asked);
  const [path, content] = method === 'GET' ? [`?${query.join('&')}`] : ['', body];
  const answer = await send(gateway, method, `/.edge/limits${path}`, {
    host: 'api.he2.ai',
    headers: { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY, ...lengthOf(content) },
    body: content,
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const lengthOf = (content) => (content ? { 'content-length': Buffer.byteLength(content) } : {});
