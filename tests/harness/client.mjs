//! The client's side of a test: requests with any Host, method, path and field, exactly as written.
//!
//! `fetch` cannot set `Host`, follows redirects, decodes bodies and tidies paths, so none of this uses it.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { keepSent, secrets } from './secrets.mjs';

/** Sends one request and reads the whole answer. */
export async function send(gateway, method, path, options = {}) {
  const response = await open(gateway, method, path, options);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (/^application\/problem\+json/.test(response.headers['content-type']))
    secrets.emitted('a problem', body.toString());
  return {
    status: response.statusCode,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body,
    get text() {
      return body.toString();
    },
    get json() {
      return JSON.parse(body.toString());
    },
  };
}

/** Sends one request and returns as soon as the answer's head is here; the body is still to be read. */
export async function open(
  gateway,
  method,
  path,
  { host = 'he2.ai', headers = {}, body, signal, agent = false } = {},
) {
  keepSent(headers, path);
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method,
    path,
    signal,
    agent,
    headers: { host, ...headers },
  });
  if (body?.pipe) body.pipe(request);
  else request.end(body);
  const [response] = await once(request, 'response').catch((error) => closedMeanwhile(request, error));
  if (response === undefined) return open(gateway, method, path, { host, headers, body, signal, agent });
  emittedFields(response.rawHeaders);
  return response;
}

/** Nothing, where a connection that was kept alive had just been closed; else the error is thrown. */
function closedMeanwhile(request, error) {
  if (request.reusedSocket && error.code === 'ECONNRESET') return [];
  throw error;
}

/** Every field may be the gateway's own but the cookies, which are the origin's. */
function emittedFields(rawHeaders) {
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at].toLowerCase() !== 'set-cookie')
      secrets.emitted(`the field ${rawHeaders[at].toLowerCase()}`, rawHeaders[at + 1]);
}

/** Writes `head` to a socket byte for byte and returns the raw answer; for what no HTTP client would send. */
export async function raw(port, head) {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(head);
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** The status of a raw answer; 0 when the connection closed without one. */
export const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

/** A GET of `target` as raw bytes. */
export const rawGet = (target, host = 'he2.ai', fields = '') =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`;

/** `Authorization` for a token. */
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** Waits until `check` gives something truthy, and returns it. */
export async function until(check, what = check.toString(), timeout = 10_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`still not so after ${timeout} ms: ${what}`);
    await delay(10);
  }
}
