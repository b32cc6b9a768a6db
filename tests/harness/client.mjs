//! The client's side of a test: requests with any Host, method, path and field, exactly as written.
//!
//! `fetch` cannot set `Host`, follows redirects, decodes bodies and tidies paths, so none of this uses it.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Sends one request and reads the whole answer. */
export async function send(gateway, method, path, options = {}) {
  const response = await open(gateway, method, path, options);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks);
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
export async function open(gateway, method, path, { host = 'he2.ai', headers = {}, body, signal } = {}) {
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method,
    path,
    signal,
    agent: false,
    headers: { host, ...headers },
  });
  if (body?.pipe) body.pipe(request);
  else request.end(body);
  const [response] = await once(request, 'response');
  return response;
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
