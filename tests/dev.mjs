//! `make dev`: the gateway at http://127.0.0.1:8787 in front of an embedded origin and token issuer, or of
//! those that ORIGIN and ISSUER name. Prints lines to paste; runs until Ctrl-C. The Worker's log goes to
//! standard error.
import net from 'node:net';
import { once } from 'node:events';
import { startGateway, startIssuer, startOrigin } from './harness.mjs';

const HOST = '127.0.0.1';
const LAST_PORT = 65_535;
const started = [];

try {
  await main(settings(process.env));
} catch (error) {
  await stop();
  console.error(`make dev: ${error.message}`);
  process.exit(1);
}

async function main({ origin, issuer, port }) {
  await mustBeFree(port);
  const ownOrigin = origin ? undefined : keep(await startOrigin());
  const ownIssuer = issuer ? undefined : keep(await startIssuer());
  const addresses = { origin: origin ?? ownOrigin.url, issuer: issuer ?? ownIssuer.url };
  const onLog = ({ message }) => console.error(message);
  const gateway = keep(await startGateway({ ...addresses, port, onLog }));
  leaveOnSignals();
  const token = await ownIssuer?.mint();
  console.log(introduction(gateway, addresses, token));
  for (const [comment, command] of lines(`http://${HOST}:${gateway.port}`, token ?? '$TOKEN')) {
    console.log(`\n# ${comment}\n${command}`);
  }
}

/** The settings that `make dev NAME=value` passes on; an empty one counts as not given. */
function settings({ ORIGIN, ISSUER, PORT }) {
  return {
    origin: address('ORIGIN', ORIGIN, 'http://127.0.0.1:9000'),
    issuer: address('ISSUER', ISSUER, 'http://127.0.0.1:9999/auth/v1'),
    port: portNumber(PORT || '8787'),
  };
}

function address(name, value, example) {
  if (!value) return undefined;
  if (/^https?:\/\/\S+$/.test(value) && URL.canParse(value)) return value.replace(/\/$/, '');
  throw new Error(`${name}=${value} is not an http address: write it like ${name}=${example}`);
}

function portNumber(value) {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= LAST_PORT) return port;
  throw new Error(`PORT=${value} is not a port: give a number from 1 to ${LAST_PORT}`);
}

/** Says so before anything is started; workerd's own message names no port. */
async function mustBeFree(port) {
  const probe = net.createServer().listen(port, HOST);
  try {
    await once(probe, 'listening');
  } catch (error) {
    throw error.code === 'EADDRINUSE' ? taken(port) : error;
  }
  await new Promise((resolve) => {
    probe.close(resolve);
  });
}

function taken(port) {
  const other = port < LAST_PORT ? port + 1 : port - 1;
  return new Error(`port ${port} is taken: stop what uses it, or take another, e.g. make dev PORT=${other}`);
}

function introduction(gateway, { origin, issuer }, token) {
  const signIn = token
    ? 'The token in the lines below was minted now and is good for one hour.'
    : 'This issuer is not ours to mint with: put an access token of it into $TOKEN first (export TOKEN=…).';
  return [
    `The gateway is at ${gateway.url}; Ctrl-C stops it.`,
    `  origin ${origin}`,
    `  issuer ${issuer}`,
    signIn,
  ].join('\n');
}

/** What to expect, and the line to paste. */
function lines(url, token) {
  const api = "-H 'Host: api.he2.ai'";
  const status = "curl -s -o /dev/null -w '%{http_code}\\n'";
  const auth = `-H "Authorization: Bearer ${token}"`;
  const run = 'a3a4b0a2-5f0c-4c2e-9a55-0d1f5c1d7a11';
  const asset = `${url}/_next/static/chunks/main-5d0f9c.js`;
  return [
    ['a public page: 200', `curl -si ${url}/auth`],
    ['a call without a token: 401, refused here', `curl -si ${api} ${url}/api/agents`],
    [
      'a signed-in call: 200, and X-He2-User tells the origin who it is',
      `curl -si ${api} ${auth} ${url}/api/agents`,
    ],
    [
      'an event stream: frames as the origin writes them',
      `curl -sN ${api} "${url}/api/agent-run/${run}/stream?token=${token}"`,
    ],
    [
      'a cached asset, twice: the second is a hit with an Age',
      `for n in 1 2; do curl -si ${asset} | grep -iE '^(HTTP|age|cache-status)'; done`,
    ],
    [
      'a rate-limited call, 22 times: 20 times 200, then 429',
      `for n in $(seq 22); do ${status} -X POST ${api} ${auth} ${url}/api/agent/initiate; done`,
    ],
  ];
}

function keep(thing) {
  started.push(thing);
  return thing;
}

async function stop() {
  await Promise.all(started.splice(0).map((thing) => thing.close()));
}

/** In place of Miniflare's own handlers, which would make an ordinary Ctrl-C look like a failure. */
function leaveOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.removeAllListeners(signal);
    process.on(signal, async () => {
      await stop();
      process.exit(0);
    });
  }
}
