//! The gateway's policy in plain JavaScript, without a dependency.
import policy from 'policy';
import { forward, log, trace } from '../forward.mjs';
import { cached } from './cache.mjs';
import { take } from './limit.mjs';
import { find } from './route.mjs';
import { verify } from './token.mjs';

export default {
  async fetch(request, env, context) {
    const url = new URL(request.url);
    const ids = trace(request);
    const { response, facts } = await answer(request, env, context, url, ids);
    const origin = request.headers.get('origin');
    if (policy.cors.origins.includes(origin)) grant(response.headers, origin);
    response.headers.set('x-request-id', ids.requestId);
    response.headers.set('traceparent', ids.traceparent);
    log(request, url, response, ids, facts);
    return response;
  },
};

async function answer(request, env, context, url, ids) {
  const preflight = request.method === 'OPTIONS' && request.headers.get('access-control-request-method');
  const route = find(url.hostname, preflight || request.method, url.pathname);
  if (!route) return { response: problem(404, 'Not found', ids), facts: {} };
  const facts = { route: route.name };
  if (preflight) return { response: new Response(null, { status: 204, headers: preflightHeaders() }), facts };
  if (route.auth === 'blocked') return { response: problem(403, 'Forbidden', ids), facts };

  const token = credential(request, url, route);
  const { claims, fault } = token ? await verify(token, env) : {};
  if (fault || (!token && ['user', 'any_of'].includes(route.auth))) {
    const response = problem(401, fault ?? 'No credentials were sent', ids);
    response.headers.set('www-authenticate', fault ? 'Bearer error="invalid_token"' : 'Bearer');
    return { response, facts };
  }
  facts.caller_id = claims?.sub;

  const key = claims?.sub ?? request.headers.get('cf-connecting-ip') ?? '';
  const taken = take(route, key);
  if (taken?.refused) return { response: taken.describe(problem(429, 'Too many requests', ids)), facts };

  const ask = () => forward(request, env, url, { ids, claims, token });
  const response = route.cache
    ? await cached('plain', request, context, url, route, claims, ask)
    : await ask();
  return { response: taken?.describe(response) ?? response, facts };
}

function credential(request, url, route) {
  if (route.auth === 'public') return undefined;
  const [scheme, token] = request.headers.get('authorization')?.split(' ') ?? [];
  if (scheme?.toLowerCase() === 'bearer') return token;
  return route.byQuery ? url.searchParams.get('token') : undefined;
}

function problem(status, detail, { requestId }) {
  const body = { type: 'about:blank', title: detail, status, detail, request_id: requestId };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return new Response(JSON.stringify(body), { status, headers });
}

function grant(headers, origin) {
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-allow-credentials', 'true');
  headers.set('access-control-expose-headers', policy.cors.expose.join(', '));
  headers.append('vary', 'Origin');
}

function preflightHeaders() {
  return {
    'access-control-allow-methods': policy.cors.methods.join(', '),
    'access-control-allow-headers': policy.cors.headers.join(', '),
    'access-control-max-age': String(policy.cors.max_age_seconds),
  };
}
