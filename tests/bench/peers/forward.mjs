//! What both peers do to the fields of a request and an answer: the gateway's table in `edge/core/src/forward.rs`,
//! as it is written by hand.

const DROPPED = [
  'connection', 'expect', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'forwarded', 'x-real-ip', 'true-client-ip', 'x-middleware-subrequest',
  'x-refresh-token',
]; // prettier-ignore
const SPOOFABLE = /^x-(?:he2|forwarded)-/;
const encoder = new TextEncoder();
let identityKey;

/** The ids of a request: its own, and those of its trace (W3C Trace Context), continued where it came with one. */
export function trace(request) {
  const arrived = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(request.headers.get('traceparent'));
  const traceId = arrived?.[1] ?? crypto.randomUUID().replaceAll('-', '');
  const span = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
  return {
    requestId: crypto.randomUUID(),
    traceId,
    traceparent: `00-${traceId}-${span}-${arrived?.[2] ?? '01'}`,
  };
}

/** Asks the origin. `claims` are the caller's, once the token was verified; `token` is passed on only then. */
export async function forward(request, env, url, { ids, claims, token }) {
  const headers = new Headers(request.headers);
  for (const name of DROPPED) headers.delete(name);
  for (const name of [...headers.keys()]) if (SPOOFABLE.test(name)) headers.delete(name);
  if (!token) headers.delete('authorization');
  const target = url.pathname + url.search;
  if (claims) {
    headers.set('x-he2-user', claims.sub);
    headers.set('x-he2-role', claims.role);
    headers.set('x-he2-session', claims.session_id);
    headers.set('x-he2-aal', claims.aal);
  }
  headers.set('x-he2-identity', await identity(request.method, target, claims, env));
  headers.set('x-he2-origin-lock', env.ORIGIN_LOCK);
  const ip = request.headers.get('cf-connecting-ip');
  if (ip) headers.set('x-forwarded-for', ip);
  headers.set('x-forwarded-proto', url.protocol.slice(0, -1));
  headers.set('x-forwarded-host', url.hostname);
  headers.set('x-request-id', ids.requestId);
  headers.set('traceparent', ids.traceparent);
  headers.append('via', '1.1 he2-edge');
  const { method, body } = request;
  const answer = await fetch(env.ORIGIN + target, {
    method,
    headers,
    body,
    redirect: 'manual',
    signal: request.signal,
  });
  const response = new Response(answer.body, answer);
  response.headers.delete('server');
  response.headers.delete('x-powered-by');
  return response;
}

/** What the origin believes: time, method, path and caller, signed. */
async function identity(method, target, claims, env) {
  identityKey ??= await crypto.subtle.importKey(
    'raw', encoder.encode(env.IDENTITY_SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'],
  ); // prettier-ignore
  const time = Math.floor(Date.now() / 1000);
  const { sub = '', role = '', session_id: session = '', aal = '' } = claims ?? {};
  const lines = [time, method, target, sub, role, session, aal].join('\n');
  const mac = await crypto.subtle.sign('HMAC', identityKey, encoder.encode(lines));
  const hex = Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `t=${time},v1=${hex}`;
}

/** The request's line in the log. */
export function log(request, url, response, ids, facts) {
  console.log(
    JSON.stringify({
      request_id: ids.requestId,
      trace_id: ids.traceId,
      method: request.method,
      host: url.hostname,
      path: url.pathname,
      status: response.status,
      ...facts,
    }),
  );
}
