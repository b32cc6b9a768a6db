//! A Worker that does nothing but ask the origin: what every gateway costs at least, where it keeps nothing.
import { Log, LogLevel, Miniflare } from 'miniflare';
import { deploymentOf } from './gateway.mjs';

const SCRIPT = `export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(env.ORIGIN + pathname + search, request));
  },
};`;

/** Starts it in a workerd of its own, with the compatibility of the gateway. */
export async function startBare(origin) {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    log: new Log(LogLevel.ERROR),
    cf: false, // the real one would be fetched from the network
    workers: [
      {
        name: 'bare',
        modules: [{ type: 'ESModule', path: 'bare.mjs', contents: SCRIPT }],
        bindings: { ORIGIN: origin },
        ...deploymentOf().compatibility,
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      },
    ],
  });
  const { port } = await miniflare.unsafeGetDirectURL('bare');
  return { port: Number(port), close: () => miniflare.dispose() };
}
