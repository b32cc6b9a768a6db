//! The suite's own server behind the gateway, with what it has learnt since the package was made: to wait before it
//! answers, and to send interim responses.
import { setTimeout as delay } from 'node:timers/promises';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';
import { configs } from 'http-cache-tests/server/utils.mjs';
import { startServer } from '../harness/server.mjs';

export function startSuiteOrigin() {
  return startServer(async (request, response) => {
    const [, kind, ...rest] = new URL(request.url, 'http://origin').pathname.split('/');
    if (kind === 'config') return handleConfig(rest, request, response);
    if (kind === 'state') return handleState(rest, request, response);
    await prepare(configs.get(rest[0])?.[request.headers['req-num'] - 1] ?? {}, response);
    return handleTest(rest, request, response);
  });
}

/** Fields by which an answer may lie about where it ends. */
const FRAMING = ['content-length', 'transfer-encoding'];

async function prepare(
  { response_pause: seconds = 0, interim_responses: interim = [], ...config },
  response,
) {
  if (seconds) await delay(1000 * seconds);
  // What is left of such an answer on the connection must not be taken for the answer to another test.
  const framed = config.response_headers?.some(([name]) => FRAMING.includes(name.toLowerCase()));
  if (framed || interim.length) response.shouldKeepAlive = false;
  for (const [status, fields = []] of interim) {
    if (status === 102) response.writeProcessing();
    else response.writeEarlyHints(Object.fromEntries(fields));
  }
}
