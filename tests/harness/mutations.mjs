//! Ways to make a token wrong, by category. Each changes a draft (`token-cases.mjs`) in one of its stages:
//! the members, their text, its encoding, the signature, the finished token.
import { createHmac, createPublicKey, sign } from 'node:crypto';
import { nowSeconds } from './token.mjs';

const FIELDS = [
  ...['iss', 'aud', 'exp', 'iat', 'nbf', 'sub', 'role', 'session_id', 'aal', 'email', 'is_anonymous'],
  ...['app_metadata', 'client_id', 'token_use', 'jti'],
];
const ODD = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    0.5,
    1e21,
    2 ** 53,
    '',
    ' ',
    'x',
    '1',
    'null',
    'é',
    'a\u0000b',
    'a b',
    'a\nb',
  ],
  ...[[], [null], [[]], [1], {}, { a: 1 }, 'x'.repeat(256), 'x'.repeat(257), 'aal2', 'access', 'id'],
  ...['authenticated', 'anon', 'service_role', 'AUTHENTICATED', ['authenticated'], ['x', 'authenticated', 1]],
];

/** What a claim may be turned into, seen from what it is. */
const TWISTS = [
  () => undefined,
  (value) => [value],
  (value) => [value, value],
  (value) => ({ value }),
  (value) => String(value),
  (value) => `${value} `,
  (value) => ` ${value}`,
  (value) => `${value}\u0000`,
  (value) => `${value}/`,
  (value) => String(value).toUpperCase(),
  (value) => String(value).slice(0, -1),
];

const setClaim = (claims, field, value) => {
  if (value === undefined) delete claims[field];
  else claims[field] = value;
};

const claims = [
  (draft, random) => setClaim(draft.claims, random.pick(FIELDS), random.pick(ODD)),
  (draft, random) => {
    const field = random.pick(FIELDS);
    setClaim(draft.claims, field, random.pick(TWISTS)(draft.claims[field]));
  },
  (draft, random) => {
    const [one, other] = [random.pick(FIELDS), random.pick(FIELDS)];
    setClaim(draft.claims, one, draft.claims[other]);
  },
];

/** JSON for a number that `JSON.stringify` would not write. */
const NUMBERS = [
  ...['1e9', '2e9', '2000000000.0', '1.5e9', '-0', '-1', '00', '01', '+1', '0x10', '1e400', '-1e400', 'NaN'],
  ...[
    '18446744073709551615',
    '18446744073709551616',
    '9007199254740993',
    '9223372036854775808',
    '1_000',
    '.5',
    '5.',
  ],
];

const raw = (draft, field, json) => {
  draft.claims[field] = '@raw@';
  draft.text.payload = (value) => JSON.stringify(value).replace('"@raw@"', () => json);
};

const LEEWAY = 30;
const LIFETIME = 86_400;
const times = [
  (draft, random) => {
    const near = random.pick([-LEEWAY, 0, LEEWAY]) + random.int(5) - 2;
    draft.claims[random.pick(['exp', 'iat', 'nbf'])] = nowSeconds() + near;
  },
  (draft, random) => {
    draft.claims.exp = draft.claims.iat + LIFETIME + random.int(3) - 1;
  },
  (draft, random) => raw(draft, random.pick(['exp', 'iat', 'nbf']), random.pick(NUMBERS)),
  (draft, random) => {
    const field = random.pick(['exp', 'iat', 'nbf']);
    draft.claims[field] = nowSeconds() + random.int(10 * LIFETIME) - 5 * LIFETIME + random.pick([0, 0, 0.25]);
  },
];

const NAMES_OF_NONE = ['none', 'None', 'NONE', 'nOnE', '', ' none', 'none\u0000'];
const ALGORITHMS = [
  ...['ES256', 'RS256', 'EdDSA', 'HS256', 'HS384', 'HS512', 'ES384', 'ES512', 'ES256K', 'RS384', 'RS512'],
  ...['PS256', 'Ed25519', 'Ed448', 'es256', 'hs256', 'RS256 ', 'dir', 'ECDH-ES', 'A128GCM', 'ML-DSA-44'],
];
const algorithms = [
  (draft, random) => {
    draft.header.alg = random.pick(ALGORITHMS);
  },
  (draft, random) => {
    draft.header.alg = random.pick([null, 1, true, [], ['ES256'], {}, undefined]);
  },
  (draft, random) => {
    draft.header.alg = random.pick(NAMES_OF_NONE);
    if (random.chance(2)) draft.signature = () => Buffer.alloc(0);
  },
  // The public key, which everybody has, as the secret of an HMAC, in every form that a library may keep it.
  (draft, random) => {
    const { jwk } = draft.key;
    if (draft.key.secret !== undefined) return;
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const pem = key.export({ type: 'spki', format: 'pem' });
    const secrets = [
      pem,
      pem.trim(),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      jwk.x,
      jwk.n,
    ];
    const secret = random.pick(secrets.filter((one) => one !== undefined));
    draft.header.alg = 'HS256';
    draft.signature = (message) => createHmac('sha256', secret).update(message).digest();
  },
  (draft) => {
    draft.header.alg = 'HS256';
    draft.signature = (message) => createHmac('sha256', '').update(message).digest();
  },
];

/** A header parameter that brings a key, or says where one is (RFC 7515 §4.1.2 to §4.1.8). */
const ownKeys = (jwk) => ({
  jwk,
  jku: 'https://evil.example/jwks.json',
  x5u: 'https://evil.example/chain.pem',
  x5c: ['MIIB'],
  x5t: 'AAAA',
  'x5t#S256': 'AAAA',
});

const PARAMETERS = {
  typ: [
    'JWT',
    'jwt',
    'at+jwt',
    'application/at+jwt',
    'AT+JWT',
    'JWE',
    'dpop+jwt',
    'logout+jwt',
    '',
    null,
    1,
    ['JWT'],
  ],
  cty: ['JWT', null, 1],
  crit: [[], ['exp'], ['alg'], ['b64'], ['x'], ['b64', 'b64'], 'b64', null, {}, [1], true],
  b64: [true, false, null, 'false', 0],
  kid: [null, '', 1, {}, [], 'x'.repeat(256), 'x'.repeat(257), '../../dev/null', "' OR 1=1 --", 'é'],
  zip: ['DEF'],
  enc: ['A128GCM'],
  exp: [1],
  nonce: ['x'],
};
const header = [
  (draft, random) => {
    const name = random.pick(Object.keys(PARAMETERS));
    draft.header[name] = random.pick(PARAMETERS[name]);
  },
  (draft, random) => {
    draft.header.crit = random.pick([['b64'], ['exp'], ['b64', 'exp'], ['x']]);
    draft.header[draft.header.crit[0]] = random.pick([true, false, 1]);
  },
  // RFC 7797: what is signed is the payload itself.
  (draft, random, world) => {
    Object.assign(draft.header, { b64: false, crit: ['b64'] });
    draft.signature = (message) => {
      const [head, payload] = message.split('.');
      return signWith(
        draft.key,
        Buffer.concat([Buffer.from(`${head}.`), Buffer.from(payload, 'base64url')]),
        world,
      );
    };
  },
  (draft, random, world) => {
    const stranger = world.strangers[draft.key.alg] ?? world.strangers.ES256;
    const own = ownKeys(stranger.jwk);
    const name = random.pick(Object.keys(own));
    draft.header[name] = own[name];
    if (random.chance(2)) draft.key = { ...stranger, kid: draft.key.kid };
  },
  (draft, random) => {
    delete draft.header[random.pick(['typ', 'kid', 'alg'])];
  },
];

/** Signs as JWS does (RFC 7518 §3), whatever the header says. */
export function signWith(key, message) {
  if (key.secret !== undefined) return createHmac('sha256', key.secret).update(message).digest();
  const bytes = Buffer.from(message);
  if (key.alg === 'EdDSA') return sign(null, bytes, key.object);
  return sign('sha256', bytes, { key: key.object, dsaEncoding: 'ieee-p1363' });
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const word = (number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
const number = (bytes) => BigInt(`0x${bytes.toString('hex') || '0'}`);

const SIGNATURES = [
  (bytes, random) => {
    const at = random.int(bytes.length);
    bytes[at] ^= 1 << random.int(8);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random.int(bytes.length)),
  (bytes, random) => bytes.subarray(1 + random.int(bytes.length - 1)),
  (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.int(64))]),
  (bytes) => Buffer.concat([Buffer.alloc(1), bytes]),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes) => Buffer.alloc(bytes.length),
  (bytes) => Buffer.alloc(bytes.length, 0xff),
  () => Buffer.alloc(0),
  (bytes, random) => random.bytes(bytes.length),
  (bytes) => Buffer.from(bytes).reverse(),
  // Of ECDSA: the twin (r, n − s), which is good too; r and s swapped, zero, the order itself, past it.
  (bytes) =>
    Buffer.concat([bytes.subarray(0, 32), word(P256_ORDER - (number(bytes.subarray(32)) % P256_ORDER))]),
  (bytes) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]),
  (bytes) => Buffer.concat([word(0n), bytes.subarray(32)]),
  (bytes) => Buffer.concat([bytes.subarray(0, 32), word(0n)]),
  (bytes) => Buffer.concat([word(P256_ORDER), word(P256_ORDER)]),
  (bytes) => Buffer.concat([word(1n), word(1n)]),
  (bytes) =>
    Buffer.concat([bytes.subarray(0, 32), word((number(bytes.subarray(32, 64)) + P256_ORDER) % 2n ** 256n)]),
];
const signatures = [
  (draft, random) => {
    const [change, before] = [random.pick(SIGNATURES), draft.signature];
    draft.signature = (message) => change(Buffer.from(before(message)), random);
  },
  // ECDSA in DER, as other formats than JOSE have it.
  (draft, random, world) => {
    const { kid, object: key } = world.supabase.keys.find(({ alg }) => alg === 'ES256');
    Object.assign(draft.header, { alg: 'ES256', kid });
    draft.signature = (message) => sign('sha256', Buffer.from(message), { key, dsaEncoding: 'der' });
  },
  // Good, of another message.
  (draft, random, world) => {
    draft.signature = () => signWith(draft.key, 'eyJhbGciOiJub25lIn0.e30', world);
  },
];

const keys = [
  (draft, random, world) => {
    draft.header.kid = random.pick([...world.supabase.keys, ...world.cognito.keys, ...world.decoys]).kid;
  },
  (draft, random) => {
    delete draft.header.kid;
    if (random.chance(2)) draft.header.kid = random.uuid();
  },
  (draft, random, world) => {
    const stranger = random.pick(Object.values(world.strangers));
    draft.key = stranger;
    draft.header.alg = stranger.alg;
    if (random.chance(3)) draft.header.kid = stranger.kid;
    if (random.chance(3)) delete draft.header.kid;
  },
  // In the set, and not for this.
  (draft, random, world) => {
    draft.key = random.pick(world.decoys);
    draft.header.alg = draft.key.alg;
    draft.header.kid = draft.key.kid;
    if (random.chance(3)) delete draft.header.kid;
  },
  // The other issuer's key, or its claims, or its address.
  (draft, random, world) => {
    const other = draft.by === world.supabase ? world.cognito : world.supabase;
    const change = random.int(3);
    if (change === 0) {
      draft.key = random.pick(other.keys);
      Object.assign(draft.header, { alg: draft.key.alg, kid: draft.key.kid });
    } else if (change === 1) draft.claims = { ...other.claims(random), iss: draft.by.iss };
    else draft.claims.iss = other.iss;
  },
];

export const MUTATIONS = { claims, times, algorithms, header, signatures, keys };
