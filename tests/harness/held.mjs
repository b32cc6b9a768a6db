//! Event streams that a test writes and ends itself.
import { randomUUID } from 'node:crypto';
import { bearer, open } from './client.mjs';

/**
 * Opens one, for a user of its own: a user may have only so many. Gives the client's side, the origin's, and the path.
 * `answer` are further fields of the origin's head.
 */
export async function hold({ origin, issuer, gateway }, { headers = {}, answer = {}, query = '' } = {}) {
  const path = `/api/agent-run/${randomUUID()}/stream`;
  const written = Promise.withResolvers();
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...answer }).flushHeaders();
    written.resolve(response);
  });
  const own = { host: 'api.he2.ai', headers: { ...bearer(await issuer.mint()), ...headers } };
  const response = await open(gateway, 'GET', path + query, own);
  return { path, response, writer: await written.promise };
}
