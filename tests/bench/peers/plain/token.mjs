//! Supabase's access tokens, verified with Web Crypto; what was verified is remembered until it expires.

const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  HS256: { name: 'HMAC', hash: 'SHA-256' },
};
const LEEWAY = 30;
const KEYS_MS = 600_000;
const MOST = 10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const verified = new Map(); // token -> claims
let keys = new Map(); // kid -> CryptoKey
let keysAt = 0;

/** The claims of a good token, or what is wrong with it. */
export async function verify(token, env) {
  const now = Math.floor(Date.now() / 1000);
  let claims = verified.get(token);
  try {
    if (!claims) remember(token, (claims = await check(token, env)));
  } catch {
    return { fault: 'The token is not valid' };
  }
  if (claims.iss !== env.ISSUER || claims.aud !== 'authenticated' || claims.role !== 'authenticated')
    return { fault: 'The token is for something else' };
  if (!(now <= claims.exp + LEEWAY) || claims.nbf > now + LEEWAY) return { fault: 'The token has expired' };
  return { claims };
}

function remember(token, claims) {
  if (verified.size >= MOST) verified.delete(verified.keys().next().value);
  verified.set(token, claims);
}

/** The claims, once the signature is found good. */
async function check(token, env) {
  const [header, payload, signature] = token.split('.');
  const { alg, kid } = JSON.parse(decoder.decode(bytes(header)));
  const key = alg === 'HS256' ? await secretKey(env) : await publicKey(kid, env);
  const good = await crypto.subtle.verify(
    ALGORITHMS[alg],
    key,
    bytes(signature),
    encoder.encode(`${header}.${payload}`),
  );
  if (!good) throw new Error('signature');
  return JSON.parse(decoder.decode(bytes(payload)));
}

const bytes = (text) => Uint8Array.fromBase64(text, { alphabet: 'base64url' });

async function publicKey(kid, env) {
  if (Date.now() - keysAt > KEYS_MS) await fetchKeys(env);
  const key = keys.get(kid);
  if (!key) throw new Error('kid');
  return key;
}

async function fetchKeys(env) {
  const { keys: jwks } = await (await fetch(`${env.ISSUER}/.well-known/jwks.json`)).json();
  const imported = jwks.map(async (jwk) => [
    jwk.kid,
    await crypto.subtle.importKey('jwk', jwk, ALGORITHMS[jwk.alg], false, ['verify']),
  ]);
  keys = new Map(await Promise.all(imported));
  keysAt = Date.now();
}

let secret;
async function secretKey({ JWT_HS256_SECRET }) {
  secret ??= await crypto.subtle.importKey('raw', encoder.encode(JWT_HS256_SECRET), ALGORITHMS.HS256, false, [
    'verify',
  ]);
  return secret;
}
