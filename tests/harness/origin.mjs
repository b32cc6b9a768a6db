//! The embedded origin: the app's answers (`app.mjs`) behind a server that records what reached it, so that a
//! test can assert what the origin did *not* see.
import { createHash } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { answer } from './app.mjs';
import { startServer } from './server.mjs';

export async function startOrigin({ port = 0 } = {}) {
  const requests = [];
  const overrides = new Map();
  const http = await startServer((request, response) => {
    const record = remember(requests, request, response);
    const path = request.url.split('?')[0];
    (overrides.get(path) ?? answer)(request, response, record);
  }, port);
  http.server.on('upgrade', echoWebSockets(requests));
  return {
    port: http.port,
    url: http.url,
    requests,
    /** Answers `path` with `handler(request, response, record)`; without one, as the app does again. */
    on: (path, handler) => overrides.set(path, handler ?? answer),
    /** What arrived for `path` (with or without its query), oldest first. */
    seen: (path) => requests.filter(({ url }) => url === path || url.split('?')[0] === path),
    stop: http.stop,
    restart: http.restart,
    close: http.stop,
  };
}

/** One entry per request: its head at once, its body's size and hash when the body ends, and how it ended. */
function remember(requests, request, response) {
  const record = recordOf(request);
  requests.push(record);
  const hash = createHash('sha256');
  record.body = new Promise((resolve, reject) => {
    request.on('data', (chunk) => {
      record.bodyBytes += chunk.length;
      hash.update(chunk);
    });
    request.on('end', () => resolve((record.bodySha256 = hash.digest('hex'))));
    request.on('error', reject);
  });
  record.body.catch(() => {}); // an upload cut short: `abandoned` tells it
  response.on('close', () => {
    record.finished = response.writableFinished;
    record.abandoned = !response.writableFinished;
  });
  return record;
}

function recordOf(request) {
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    bodyBytes: 0,
    bodySha256: undefined,
    finished: false,
    abandoned: false,
  };
}

/**
 * Echoes every message. `close <code> <reason>` closes with that code, `vanish` without a word; `?refuse=<status>`
 * refuses the upgrade. How a socket was closed is in its record.
 */
function echoWebSockets(requests) {
  const sockets = new WebSocketServer({ noServer: true });
  return (request, socket, head) => {
    const record = recordOf(request);
    requests.push(record);
    const refused = new URL(request.url, 'http://origin').searchParams.get('refuse');
    if (refused) return socket.end(`HTTP/1.1 ${refused} Refused\r\nContent-Length: 0\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('close', (code, reason) => {
        record.close = [code, reason.toString()];
      });
      webSocket.on('message', (data, binary) => {
        const close = !binary && /^close (\d+) (.*)$/.exec(data.toString());
        if (data.equals(Buffer.from('vanish'))) webSocket.terminate();
        else if (close) webSocket.close(Number(close[1]), close[2]);
        else webSocket.send(data, { binary });
      });
    });
  };
}
