//! What `jose` says of a token, configured as the gateway is, and the reasons for which the gateway is
//! stricter.
//!
//! The gateway takes exactly those tokens that jose takes and that no reason here speaks against.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { he2 } from './config.mjs';

const { leeway_seconds: LEEWAY, max_lifetime_seconds: LONGEST_LIFE, max_token_bytes: LONGEST } = he2.auth;

/** `issuers` by `iss`: each `{ name, jwks, secret, audiences, audienceClaim }`. */
export function oracle(issuers) {
  const byIss = new Map(Object.entries(issuers).map(([iss, issuer]) => [iss, withOptions(iss, issuer)]));
  const [first] = byIss.values();
  return {
    /** Whether jose takes the token at a time (ms). */
    async accepts(token, at) {
      const issuer = byIss.get(issOf(token)) ?? first;
      return verifies(token, issuer, { ...issuer.options, currentDate: new Date(at) });
    },
    /** Why the gateway refuses at a time (ms) what jose takes. */
    reasons(token, at) {
      const facts = read(token, byIss.get(issOf(token)), Math.floor(at / 1000));
      return REASONS.filter(({ applies }) => applies(facts)).map(({ name }) => name);
    },
  };
}

function withOptions(iss, { name, jwks, secret, audiences }) {
  const config = he2.issuer[name];
  const keys = createLocalJWKSet(jwks);
  return {
    name,
    config,
    audiences,
    key: (header, token) => (header.alg === 'HS256' && secret ? secret : keys(header, token)),
    options: {
      algorithms: [...config.algorithms, ...(secret ? ['HS256'] : [])],
      issuer: iss,
      // jose knows no other claim than `aud` for it.
      audience: config.audience_claim ? undefined : audiences,
      clockTolerance: LEEWAY,
      requiredClaims: ['sub', 'exp', 'iat'],
    },
  };
}

function issOf(token) {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** As jose's documentation has it for sets with several keys that may be meant: one after the other. */
async function verifies(token, { key }, options) {
  try {
    await jwtVerify(token, key, options);
    return true;
  } catch (error) {
    if (error.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') return false;
    for await (const one of error) if (await verifies(token, { key: one }, options)) return true;
    return false;
  }
}

/** What the reasons look at; called for tokens that jose takes only, so everything can be read. */
function read(token, issuer, now) {
  const bytes = token.split('.').map((part) => Buffer.from(part, 'base64url'));
  const [header, payload] = bytes.slice(0, 2).map((one) => readJson(one));
  return { token, issuer, now, bytes, header, payload, claims: payload.value };
}

function readJson(bytes) {
  const text = new TextDecoder().decode(bytes);
  const sources = new Map();
  const value = JSON.parse(text, function remember(name, member, { source }) {
    if (source !== undefined) sources.set(this, { ...sources.get(this), [name]: source });
    return member;
  });
  const numbers = [...sources.values()]
    .flatMap((members) => Object.values(members))
    .filter((one) => /^-?\d/.test(one));
  return { text, value, sources: sources.get(value) ?? {}, numbers, ...shape(text) };
}

/** The names at the top of a JSON object, and how deep it goes. */
function shape(text) {
  const names = [];
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (token === '{' || token === '[') deepest = Math.max(deepest, (depth += 1));
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && token.endsWith(':')) names.push(JSON.parse(token.slice(0, -1)));
  }
  return { names, deepest };
}

const WHOLE = /^\d+$/;
const isWhole = (source) => source !== undefined && WHOLE.test(source) && BigInt(source) < 2n ** 64n;
/** 1 to 256 characters of visible ASCII. */
const isName = (value) => typeof value === 'string' && /^[!-~]{1,256}$/.test(value);
const claimName = ({ issuer }, claim, otherwise) => issuer.config.claims?.[claim] ?? otherwise;
const isUsersRole = (role, roles) =>
  !['anon', 'service_role'].includes(role) && (roles?.includes(role) ?? true);
const both = ({ header, payload }, test) => test(header) || test(payload);

export const REASONS = [
  {
    name: 'longer than the plan allows',
    why: 'the origin takes heads of 16 kB, and hashing costs',
    applies: ({ token }) => token.length > LONGEST,
  },
  {
    name: 'another spelling in base64url',
    why: 'RFC 4648 §3.5: one token, one text; else what is remembered or revoked by its text has twins',
    applies: ({ token, bytes }) => token !== bytes.map((one) => one.toString('base64url')).join('.'),
  },
  {
    name: 'not UTF-8, or with a byte order mark',
    why: 'RFC 8259 §8.1; readers repair it differently',
    applies: ({ bytes }) => bytes.slice(0, 2).some((one) => !isUtf8(one)),
  },
  {
    name: 'half a surrogate pair',
    why: 'RFC 8259 §8.2: readers make different texts of it',
    applies: (facts) => both(facts, ({ value }) => /\\ud[89a-f]/.test(JSON.stringify(value))),
  },
  {
    name: 'a number beyond all floats',
    why: 'RFC 8259 §6: jose reads infinity',
    applies: (facts) => both(facts, ({ numbers }) => numbers.some((one) => !Number.isFinite(Number(one)))),
  },
  {
    name: 'deeper than 127 levels',
    why: 'serde_json reads no deeper, so that no text exhausts the stack',
    applies: (facts) => both(facts, ({ deepest }) => deepest > 127),
  },
  {
    name: 'a member twice',
    why: 'RFC 7519 §4 lets a reader refuse it; another behind may take the other one',
    applies: (facts) => both(facts, ({ names }) => new Set(names).size < names.length),
  },
  {
    name: 'crit or b64',
    why: 'RFC 7515 §4.1.11: nothing critical is understood; jose knows b64',
    applies: ({ header }) => 'crit' in header.value || 'b64' in header.value,
  },
  {
    name: 'typ of something else',
    why: 'RFC 8725 §3.11: no other kind of JWT passes for an access token',
    applies: ({ header: { value } }) =>
      'typ' in value &&
      !/^(application\/)?(jwt|at\+jwt)$/i.test(typeof value.typ === 'string' ? value.typ : ''),
  },
  {
    name: 'kid that is no text, or a long one',
    why: 'RFC 7515 §4.1.4: it must be a string; jose looks at it only to choose from a key set',
    applies: ({ header: { value } }) =>
      'kid' in value && (typeof value.kid !== 'string' || Buffer.byteLength(value.kid) > 256),
  },
  {
    name: 'times that are not whole seconds after 1970',
    why: 'no issuer here writes others, and what readers make of them differs',
    applies: ({ payload: { value, sources } }) =>
      ['exp', 'iat', 'nbf'].some((name) => name in value && !isWhole(sources[name])),
  },
  {
    name: 'a life longer than the plan allows',
    why: 'revocations are kept as long as that',
    applies: ({ claims }) => claims.exp - claims.iat > LONGEST_LIFE,
  },
  {
    name: 'issued in the future',
    why: 'a clock is wrong, or the claim; jose looks at it only for an age limit',
    applies: ({ claims, now }) => claims.iat > now + LEEWAY,
  },
  {
    name: 'no name of a user',
    why: 'it travels in header fields: 1 to 256 visible ASCII characters',
    applies: (facts) => !isName(facts.claims[claimName(facts, 'user', 'sub')]),
  },
  {
    name: 'role, session or aal that cannot travel in a field',
    why: 'as the user',
    applies: (facts) =>
      [
        claimName(facts, 'role', 'role'),
        claimName(facts, 'session', 'session_id'),
        claimName(facts, 'aal', 'aal'),
      ]
        .map((name) => facts.claims[name])
        .some((value) => value !== undefined && value !== null && !isName(value)),
  },
  {
    name: "a role that is not a user's",
    why: 'anon and service_role are keys of the project, whoever says so',
    applies: (facts) =>
      !isUsersRole(facts.claims[claimName(facts, 'role', 'role')], facts.issuer.config.roles),
  },
  {
    name: 'an audience that stands in another claim',
    why: 'jose knows `aud` only',
    applies: ({ issuer, claims }) =>
      issuer.config.audience_claim !== undefined &&
      ![claims[issuer.config.audience_claim]].flat().some((one) => issuer.audiences.includes(one)),
  },
  {
    name: 'another kind of token',
    why: "the issuer's id tokens are not for APIs",
    applies: ({ issuer, claims }) =>
      (issuer.config.require ?? []).some(({ claim, equals }) => claims[claim] !== equals),
  },
];

function isUtf8(bytes) {
  try {
    return !new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).startsWith('\ufeff');
  } catch {
    return false;
  }
}
