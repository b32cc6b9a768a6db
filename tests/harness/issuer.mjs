//! The embedded token issuer: as much of Supabase Auth as its own client needs to sign in, and a key set that
//! can rotate, lose a key, be slow and go away.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { secrets } from './secrets.mjs';
import { startServer } from './server.mjs';
import { HOUR, newKey, nowSeconds, signToken, userClaims } from './token.mjs';

export async function startIssuer({ port = 0 } = {}) {
  const state = {
    keys: [await newKey('ES256')],
    hs256Secret: randomBytes(32).toString('hex'),
    users: new Map(), // by e-mail
    refreshTokens: new Map(), // refresh token -> user
    jwksFetches: 0,
    failing: false,
    slow: 0,
    held: undefined,
    maxAge: 600,
    sessionClaims: {},
    url: '',
  };
  const http = await startServer((request, response) => serve(state, request, response), port);
  state.url = `${http.url}/auth/v1`;
  return {
    port: http.port,
    url: state.url,
    hs256Secret: state.hs256Secret,
    get jwksFetches() {
      return state.jwksFetches;
    },
    get keys() {
      return state.keys;
    },
    /** A token of a signed-in person; see `mint`. */
    mint: (options) => mint(state, options),
    /** The claims that `mint` signs. */
    claims: (changes) => userClaims(state.url, changes),
    /** Publishes another key without signing with it unless asked. */
    async addKey(alg) {
      const key = await newKey(alg);
      state.keys.push(key);
      return key;
    },
    /** Signs with a new key from now on; the old ones stay published. */
    async rotate(alg = 'ES256') {
      state.keys.unshift(await newKey(alg));
      return state.keys[0];
    },
    /** Publishes a key that is not signed with unless asked for by itself. */
    publish: (key) => {
      state.keys.push(key);
    },
    /** Takes a key out of the published set. */
    revoke: (kid) => {
      state.keys = state.keys.filter((key) => key.kid !== kid);
    },
    /** Lets every request wait until the function that it gives is called. */
    hold() {
      let release;
      state.held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    /** Changes the claims of the tokens that sign-ins give from now on. */
    set sessionClaims(claims) {
      state.sessionClaims = claims;
    },
    /** `failing` answers 503 to everything; `slow` waits that many ms first; `maxAge` is of the key set. */
    set failing(value) {
      state.failing = value;
    },
    set slow(ms) {
      state.slow = ms;
    },
    set maxAge(seconds) {
      state.maxAge = seconds;
    },
    stop: http.stop,
    restart: http.restart,
    close: http.stop,
  };
}

/**
 * Mints a token. `claims` overrides claims (`undefined` leaves one out), `header` overrides header fields
 * (`alg: 'none'` leaves the signature empty), `key` signs in place of the current one, `alg` picks another.
 */
function mint(state, { claims, header, key, alg } = {}) {
  const hs256 = alg === 'HS256' ? { alg, secret: state.hs256Secret } : undefined;
  const ofAlg = state.keys.find((one) => one.alg === alg);
  return signToken(userClaims(state.url, claims), key ?? hs256 ?? ofAlg ?? state.keys[0], header);
}

const ROUTES = {
  'GET /auth/v1/.well-known/jwks.json': jwks,
  'POST /auth/v1/signup': signUp,
  'POST /auth/v1/token': token,
  'GET /auth/v1/user': user,
  'POST /auth/v1/logout': (_state, _request, response) => response.writeHead(204).end(),
};

async function serve(state, request, response) {
  const url = new URL(request.url, 'http://issuer');
  if (url.pathname.endsWith('/jwks.json')) {
    state.jwksFetches += 1;
    secrets.emitted('a request to the issuer', [request.url, ...request.rawHeaders].join('\n'));
  }
  if (state.slow) await delay(state.slow);
  await state.held;
  if (state.failing) return json(response, 503, { msg: 'the issuer is down' });
  const route = ROUTES[`${request.method} ${url.pathname}`];
  if (!route) return json(response, 404, { code: 404, msg: 'no such path' });
  try {
    return await route(state, request, response, url.searchParams);
  } catch (error) {
    return json(response, 400, { code: 400, error_code: 'bad_json', msg: String(error.message) });
  }
}

function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function jwks(state, _request, response) {
  const headers = { 'Cache-Control': `public, max-age=${state.maxAge}` };
  json(response, 200, { keys: state.keys.map(({ jwk }) => jwk) }, headers);
}

async function signUp(state, request, response) {
  const { email, password } = await readJson(request);
  if (state.users.has(email))
    return json(response, 422, {
      code: 422,
      error_code: 'user_already_exists',
      msg: 'User already registered',
    });
  const person = { id: randomUUID(), email, password, created_at: new Date().toISOString() };
  state.users.set(email, person);
  return json(response, 200, await session(state, person));
}

async function token(state, request, response, query) {
  const body = await readJson(request);
  const person =
    query.get('grant_type') === 'refresh_token' ? byRefreshToken(state, body) : byPassword(state, body);
  if (!person)
    return json(response, 400, {
      code: 400,
      error_code: 'invalid_credentials',
      msg: 'Invalid login credentials',
    });
  return json(response, 200, await session(state, person));
}

function byPassword(state, { email, password }) {
  const person = state.users.get(email);
  return person?.password === password ? person : undefined;
}

/** Each refresh token works once. */
function byRefreshToken(state, { refresh_token: refreshToken }) {
  const person = state.refreshTokens.get(refreshToken);
  state.refreshTokens.delete(refreshToken);
  return person;
}

function user(state, request, response) {
  const { sub } = decodeJwt(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
  const person = [...state.users.values()].find(({ id }) => id === sub);
  return person
    ? json(response, 200, publicUser(person))
    : json(response, 403, { code: 403, error_code: 'user_not_found', msg: 'no such user' });
}

async function session(state, person) {
  const refreshToken = secrets.keep('a refresh token', randomBytes(12).toString('base64url'));
  state.refreshTokens.set(refreshToken, person);
  return {
    access_token: await mint(state, {
      claims: { sub: person.id, email: person.email, ...state.sessionClaims },
    }),
    token_type: 'bearer',
    expires_in: HOUR,
    expires_at: nowSeconds() + HOUR,
    refresh_token: refreshToken,
    user: publicUser(person),
  };
}

function publicUser({ id, email, created_at: createdAt }) {
  return {
    id,
    aud: 'authenticated',
    role: 'authenticated',
    email,
    phone: '',
    email_confirmed_at: createdAt,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: {},
    identities: [],
    created_at: createdAt,
    updated_at: createdAt,
    is_anonymous: false,
  };
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}
