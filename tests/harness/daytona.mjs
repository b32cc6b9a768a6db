//! Daytona as far as previews know it, over real HTTP: its API, and for each port of a sandbox its proxy with an
//! app behind. Paths, fields, states and what the proxy answers are those of https://github.com/daytonaio/daytona
//! (`apps/api/src/sandbox`, `apps/proxy/pkg/proxy`); the real proxy has one address and tells sandboxes by the
//! host's first label, which loopback has no names for, so here each door has a port of its own.
import { randomBytes, randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { secrets } from './secrets.mjs';
import { startServer } from './server.mjs';

const TOKEN = 'x-daytona-preview-token';

export async function startDaytona() {
  const key = secrets.keep('DAYTONA_API_KEY', `dtn_${randomBytes(32).toString('hex')}`);
  const sandboxes = new Map();
  const calls = [];
  const faults = { api: undefined };
  const api = await startServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (faults.api) return faults.api(request, response);
    if (request.headers.authorization !== `Bearer ${key}`) return error(response, 401, 'Invalid credentials');
    return answerApi(sandboxes, request, response);
  });
  return {
    key,
    url: `${api.url}/api`,
    /** Calls of the API, as `GET /api/sandbox/…`. */
    calls,
    faults,
    /** A new sandbox in this state, public unless said otherwise; `port(number, app)` opens a port of it. */
    sandbox(state = 'started', { isPublic = true } = {}) {
      const sandbox = newSandbox(state, isPublic);
      sandboxes.set(sandbox.id, sandbox);
      return sandbox;
    },
    async close() {
      const doors = [...sandboxes.values()].flatMap(({ doors }) => [...doors.values()]);
      await Promise.all([api, ...doors].map((server) => server.stop()));
    },
  };
}

function newSandbox(state, isPublic) {
  const sandbox = {
    id: randomUUID(),
    state,
    isPublic,
    /** As the proxy has it, which believes it for an hour. */
    proxyThinksPublic: isPublic,
    token: newToken(),
    starts: 0,
    doors: new Map(),
    async port(number, app) {
      const door = await startDoor(sandbox, app);
      sandbox.doors.set(number, door);
      return door;
    },
    /** Stops and starts it: its token is another one then. */
    restart() {
      sandbox.token = newToken();
      sandbox.state = 'started';
    },
  };
  return sandbox;
}

const newToken = () => secrets.keep('a preview token', randomBytes(20).toString('hex'));

const API = /^\/api\/sandbox\/([^/]+)(?:\/(start)|\/ports\/(\d+)\/preview-url)?$/;

function answerApi(sandboxes, request, response) {
  const [, id, start, port] = API.exec(request.url) ?? [];
  const sandbox = sandboxes.get(id);
  if (!sandbox) return error(response, 404, `Sandbox with ID ${id} not found`);
  if (start) return startSandbox(sandbox, request, response);
  if (request.method !== 'GET') return error(response, 404, 'Not Found');
  if (!port) return json(response, 200, { id, state: sandbox.state, public: sandbox.isPublic });
  const door = sandbox.doors.get(Number(port));
  return json(response, 200, { sandboxId: id, url: door?.url ?? 'http://127.0.0.1:9', token: sandbox.token });
}

function startSandbox(sandbox, request, response) {
  if (request.method !== 'POST') return error(response, 404, 'Not Found');
  if (!['stopped', 'archived'].includes(sandbox.state)) return error(response, 400, 'Sandbox is not in valid state');
  sandbox.starts += 1;
  sandbox.state = 'starting';
  return json(response, 200, { id: sandbox.id, state: sandbox.state, public: sandbox.isPublic });
}

/** The proxy's side of one port. `seen` has what reached the app, as the app got it. */
async function startDoor(sandbox, app = (request, response) => json(response, 200, { path: request.url })) {
  const seen = [];
  const server = await startServer((request, response) => {
    const refusal = refusalOf(sandbox, request);
    if (refusal) return refusal(response);
    seen.push(request);
    return app(request, response);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (protocols) => [...protocols][0] });
  server.server.on('upgrade', (request, socket, head) => {
    if (refusalOf(sandbox, request)) return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    seen.push(request);
    return sockets.handleUpgrade(request, socket, head, (webSocket) => echo(webSocket, seen));
  });
  sockets.on('headers', (headers, request) => {
    const cookie = new URL(request.url, 'http://door').searchParams.get('cookie');
    if (cookie) headers.push(`Set-Cookie: ${cookie}`);
  });
  return Object.assign(server, { seen });
}

function echo(webSocket) {
  webSocket.on('message', (data, binary) => {
    const close = !binary && /^close (\d+) (.*)$/.exec(data.toString());
    if (close) webSocket.close(Number(close[1]), close[2]);
    else webSocket.send(data, { binary });
  });
}

/** What the proxy says itself: of a sandbox that does not run, and to those who may not look; nothing to others. */
function refusalOf(sandbox, request) {
  const host = request.headers.host.split('.').slice(1).join('.');
  if (sandbox.state !== 'started')
    return (response) => error(response, 400, 'sandbox is not running', 'SANDBOX_NOT_STARTED');
  if (sandbox.proxyThinksPublic && !(TOKEN in request.headers)) return undefined;
  if (request.headers[TOKEN] === sandbox.token) return undefined;
  if (sandbox.signsIn === false) return (response) => error(response, 401, 'Auth key header is invalid');
  const back = encodeURIComponent(`http://${host}/callback`);
  return (response) =>
    response.writeHead(307, { location: `https://daytona.example/authorize?client_id=x&redirect_uri=${back}` }).end();
}

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function error(response, statusCode, message, code) {
  json(response, statusCode, { statusCode, message, code, source: 'DAYTONA_PROXY' });
}
