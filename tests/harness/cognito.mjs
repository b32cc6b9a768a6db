//! A second issuer, in the shape of Amazon Cognito's access tokens: RS256, no `aud` and no `typ`, the client
//! in `client_id`, the kind of token in `token_use`.
//! Source: <https://docs.aws.amazon.com/cognito/latest/developerguide/>, "Understanding the access token".
import { randomBytes, randomUUID } from 'node:crypto';
import { secrets } from './secrets.mjs';
import { startServer } from './server.mjs';
import { HOUR, newKey, nowSeconds, signToken } from './token.mjs';

export async function startCognito() {
  const keys = [await newKey('RS256')];
  const clientId = randomBytes(13).toString('hex');
  const state = { failing: false, jwksFetches: 0 };
  const http = await startServer((request, response) => {
    state.jwksFetches += 1;
    secrets.emitted('a request to the second issuer', [request.url, ...request.rawHeaders].join('\n'));
    if (state.failing || !request.url.endsWith('/.well-known/jwks.json'))
      return response.writeHead(503).end();
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=86400' });
    return response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  });
  const url = `${http.url}/us-east-1_${randomBytes(5).toString('hex')}`;
  return {
    url,
    clientId,
    keys,
    /** What the gateway's deployment says of it. */
    vars: { COGNITO_ISSUER: url, COGNITO_CLIENTS: `${randomBytes(13).toString('hex')} ${clientId}` },
    claims: (changes) => accessClaims(url, clientId, changes),
    /** An access token; `claims` and `header` override, `key` signs in place of its own. */
    mint: ({ claims, key = keys[0], header } = {}) =>
      signToken(accessClaims(url, clientId, claims), key, { typ: undefined, ...header }),
    set failing(value) {
      state.failing = value;
    },
    get jwksFetches() {
      return state.jwksFetches;
    },
    close: http.stop,
  };
}

function accessClaims(iss, clientId, changes = {}) {
  const now = nowSeconds();
  const sub = changes.sub ?? randomUUID();
  return {
    sub,
    'cognito:groups': ['editors'],
    iss,
    client_id: clientId,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: now,
    exp: now + HOUR,
    iat: now,
    jti: randomUUID(),
    username: sub,
    ...changes,
  };
}
