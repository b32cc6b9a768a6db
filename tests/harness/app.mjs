//! What the app behind the gateway answers, in the app's own headers and shapes.
//!
//! Any path takes knobs in its query, so that a person with curl can ask for trouble too: `_slow=<ms>` waits
//! before the head; `_die=head|body` cuts the connection before the head or within the body;
//! `_status=<code>`; `_header=<name>:<value>` (repeatable) adds a field.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { streamRun } from './stream.mjs';

const BACKEND = { Server: 'uvicorn', 'Access-Control-Allow-Origin': '*' };
const FRONTEND = { 'X-Powered-By': 'Next.js' };
const RSC_VARY = 'RSC, Next-Router-State-Tree, Next-Router-Prefetch, Next-Router-Segment-Prefetch';
export const COOKIES = [
  'sb-he2-auth-token.0=base64-one; Path=/; SameSite=Lax; Max-Age=34560000',
  'sb-he2-auth-token.1=two; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT; SameSite=Lax',
];

const ROUTES = [
  [/^\/api\/health$/, health],
  [/^\/api\/agent-run\/[^/]+\/stream$/, streamRun],
  [/^\/api\/v1\/public\/threads\/[^/]+\/response$/, longPoll],
  [/^\/api\//, echo],
  [/^\/_next\/static\//, asset],
  [/^\/auth\/callback$/, signedIn],
  [/^\/$/, home],
  [/^\//, page],
];

/** Finds the answer to a request; a fault of the origin itself shows as the app's 500. */
export async function answer(request, response, record) {
  const url = new URL(request.url, 'http://origin');
  const [, handler] = ROUTES.find(([pattern]) => pattern.test(url.pathname)) ?? [null, page];
  try {
    if (await knobs(url.searchParams, response)) return;
    await handler({ request, response, record, url, query: url.searchParams });
  } catch (error) {
    if (!response.headersSent) reply(response, 500, { ...BACKEND }, { detail: String(error.message) });
    else response.destroy();
  }
}

/** Applies the knobs; true when they ended the request. */
async function knobs(query, response) {
  // Not a reason to stay alive: nobody may be waiting any more.
  if (query.has('_slow')) await delay(Number(query.get('_slow')), undefined, { ref: false });
  if (query.get('_die') === 'head') return response.destroy();
  for (const field of query.getAll('_header')) response.appendHeader(...splitField(field));
  if (query.get('_die') !== 'body') return false;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 1000 });
  response.write('the first half', () => response.destroy());
  return true;
}

function splitField(field) {
  const colon = field.indexOf(':');
  return [field.slice(0, colon), field.slice(colon + 1).trim()];
}

function reply(response, status, headers, body) {
  const json = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
    ...headers,
  });
  response.end(json);
}

function health({ response }) {
  reply(response, 200, BACKEND, { status: 'ok', timestamp: new Date().toISOString(), instance_id: 'single' });
}

/** Any other API path: what arrived, as JSON, once the whole body is here (counted and hashed, not kept). */
async function echo({ request, response, record, query }) {
  await record.body;
  const status = Number(query.get('_status') ?? 200);
  if (status === 204 || status === 304) return response.writeHead(status, BACKEND).end();
  if (status >= 300 && status < 400)
    return response.writeHead(status, { ...BACKEND, Location: query.get('to') ?? '/moved' }).end();
  if (status >= 400) return reply(response, status, BACKEND, { detail: `the app says ${status}` });
  const { method, url: path, headers, bodyBytes, bodySha256 } = record;
  return reply(response, status, BACKEND, { method, path, headers, bodyBytes, bodySha256 });
}

/** Silent for `timeout` seconds, then JSON; with `realtime=true` the same path is an event stream. */
async function longPoll(context) {
  const { response, query } = context;
  if (query.get('realtime') === 'true') return streamRun(context);
  await delay(1000 * Math.min(600, Number(query.get('timeout') ?? 300)));
  return reply(response, 200, BACKEND, { status: 'completed', response: 'done' });
}

/** Immutable chunks; a missing one is a 404 that must not be kept. */
function asset({ request, response, url }) {
  if (url.pathname.includes('missing')) {
    return response.writeHead(404, { ...FRONTEND, 'Cache-Control': 'private, no-store' }).end('404');
  }
  const body = `self.chunk="${url.pathname}";`;
  const ETag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
  const headers = { ...FRONTEND, ETag, 'Cache-Control': 'public, max-age=31536000, immutable' };
  if (request.headers['if-none-match'] === ETag) return response.writeHead(304, headers).end();
  headers['Content-Type'] = 'application/javascript; charset=UTF-8';
  return response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** The end of a sign-in: a redirect that sets the session's cookies. */
function signedIn({ response }) {
  response.writeHead(307, { ...FRONTEND, Location: 'https://he2.ai/dashboard', 'Set-Cookie': COOKIES }).end();
}

function home({ response }) {
  response.writeHead(307, { ...FRONTEND, Location: '/auth' }).end();
}

/** A prerendered page: HTML, or its RSC form on the same URL; only the request's `RSC` field tells which. */
function page({ request, response, url, query }) {
  const rsc = request.headers.rsc === '1';
  const body = rsc
    ? `0:["build","${url.pathname}"]\n`
    : `<!DOCTYPE html><title>Helium</title><h1>${url.pathname}</h1>\n`;
  response
    .writeHead(Number(query.get('_status') ?? 200), {
      ...FRONTEND,
      Vary: RSC_VARY,
      'Cache-Control': 's-maxage=31536000',
      'Content-Type': rsc ? 'text/x-component' : 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    })
    .end(body);
}
