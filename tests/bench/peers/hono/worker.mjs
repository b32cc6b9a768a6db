//! The gateway's policy in Hono, with jose and hono-rate-limiter, as their documentation has it.
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { rateLimiter } from 'hono-rate-limiter';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import policy from 'policy';
import { cached } from '../plain/cache.mjs';
import { forward, log, trace } from '../forward.mjs';
import { MapStore } from './store.mjs';

// Routing by host: https://hono.dev/docs/api/routing#routing-with-host-header-value
const app = new Hono({ getPath: (request) => '/' + request.url.replace(/^https?:\/\/([^?]+).*$/, '$1') });

app.use(async (c, next) => {
  const ids = trace(c.req.raw);
  const url = new URL(c.req.url);
  c.set('ids', ids);
  c.set('url', url);
  c.set('facts', {});
  await next();
  c.header('x-request-id', ids.requestId);
  c.header('traceparent', ids.traceparent);
  log(c.req.raw, url, c.res, ids, c.get('facts'));
});
app.use(
  cors({
    origin: policy.cors.origins,
    credentials: true,
    allowMethods: policy.cors.methods,
    allowHeaders: policy.cors.headers,
    exposeHeaders: policy.cors.expose,
    maxAge: policy.cors.max_age_seconds,
  }),
);

let jwks;
let secret;
async function keyOf(token, env) {
  if (decodeProtectedHeader(token).alg === 'HS256')
    return (secret ??= new TextEncoder().encode(env.JWT_HS256_SECRET));
  return (jwks ??= createRemoteJWKSet(new URL(`${env.ISSUER}/.well-known/jwks.json`)));
}

const authenticate = (route) =>
  createMiddleware(async (c, next) => {
    c.get('facts').route = route.name;
    if (route.auth === 'blocked') return problem(c, 403, 'Forbidden');
    if (route.auth === 'public') return next();
    const header = c.req.header('authorization');
    const token = header?.startsWith('Bearer ')
      ? header.slice(7)
      : route.byQuery
        ? c.req.query('token')
        : undefined;
    if (!token) {
      if (route.auth === 'optional') return next();
      c.header('www-authenticate', 'Bearer');
      return problem(c, 401, 'No credentials were sent');
    }
    try {
      const options = {
        issuer: c.env.ISSUER,
        audience: 'authenticated',
        clockTolerance: 30,
        requiredClaims: ['exp'],
      };
      const { payload } = await jwtVerify(token, await keyOf(token, c.env), options);
      if (payload.role !== 'authenticated') throw new Error('role');
      c.set('claims', payload);
      c.set('token', token);
      c.get('facts').caller_id = payload.sub;
    } catch {
      c.header('www-authenticate', 'Bearer error="invalid_token"');
      return problem(c, 401, 'The token is not valid');
    }
    return next();
  });

const stores = new Map(); // limit and window -> store, shared by the limit's routes
const limits = (route) =>
  route.windows.map(({ quota, seconds }) => {
    const name = `${route.limit}/${seconds}`;
    if (!stores.has(name)) stores.set(name, new MapStore());
    return rateLimiter({
      windowMs: seconds * 1000,
      limit: quota,
      standardHeaders: 'draft-7',
      keyGenerator: (c) => c.get('claims')?.sub ?? c.req.header('cf-connecting-ip') ?? '',
      handler: (c) => problem(c, 429, 'Too many requests'),
      store: stores.get(name),
    });
  });

const answer = (route) => (c) => {
  const [ids, url, claims, token] = ['ids', 'url', 'claims', 'token'].map((name) => c.get(name));
  const ask = () => forward(c.req.raw, c.env, url, { ids, claims, token });
  return route.cache ? cached('hono', c.req.raw, c.executionCtx, url, route, claims, ask) : ask();
};

function problem(c, status, detail) {
  const body = { type: 'about:blank', title: detail, status, detail, request_id: c.get('ids').requestId };
  return c.body(JSON.stringify(body), status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}

const path = (pattern) => pattern.replace(/\{\*(\w+)\}/g, ':$1{.+}').replace(/\{(\w+)\}/g, ':$1');
for (const route of policy.routes)
  for (const host of route.hosts) {
    const steps = [authenticate(route), ...limits(route), answer(route)];
    const at = `/${host}${path(route.path)}`;
    if (route.methods.length === 0) app.all(at, ...steps);
    else app.on(route.methods, at, ...steps);
  }
app.notFound((c) => problem(c, 404, 'Not found'));

export default app;
