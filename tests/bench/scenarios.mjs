//! What is asked of every peer, and what it must answer to be measured at all.
import { mix } from './mix.mjs';

/** Each busy: who sends a request now and then costs the limiter a question each time (see the growth by users). */
const USERS = 200;
/** Requests per second beyond which a slice would send a token twice. */
const FASTEST = { ES256: 8_000, RS256: 6_000, HS256: 10_000 };
const MIB = 1 << 20;

/** As a browser's request reaches a Worker: its own fields, and Cloudflare's. */
export const BROWSER = {
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Safari/537.36',
  Accept: 'application/json',
  'Accept-Language': 'en-GB,en;q=0.9',
  Referer: 'https://he2.ai/dashboard',
  'Sec-Fetch-Mode': 'cors',
  'CF-Connecting-IP': '203.0.113.7',
  'CF-Ray': '9a0b1c2d3e4f5061-FRA',
  'CF-IPCountry': 'DE',
  'CF-Visitor': '{"scheme":"https"}',
};
const signed = (token) => ({ ...BROWSER, Authorization: `Bearer ${token}` });
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));

/** The same requests in every round: each user has one token. */
const known =
  (request, users = USERS) =>
  (world) =>
    times(users, (user) => ({ ...request, headers: signed(world.seen(user)) }));
/** A user of no other scenario, whose limit is used up first. */
const exhausted = (request) => (world) => [{ ...request, headers: signed(world.seen(USERS)) }];
/** Other tokens in every round. */
const fresh = (alg) => (world, seconds) =>
  times(FASTEST[alg] * seconds, (at) => ({
    path: '/api/agents?page=1',
    headers: signed(world.token(at % USERS, { alg })),
  }));
const anonymous = (request) => () => [{ ...request, headers: BROWSER }];
let missed = 0;

/**
 * `requests(world, seconds)` are sent; where `fresh`, others in each round: with new tokens, or for new paths. `status` is what every peer but the bare
 * one answers. `quick`: also part of a quick run.
 */
export const SCENARIOS = [
  {
    name: 'pass-through',
    title: 'public page, passed through',
    requests: anonymous({ path: '/dashboard' }),
  },
  {
    name: 'seen',
    title: 'signed in, token seen before',
    quick: true,
    requests: known({ path: '/api/agents?page=1' }),
  },
  {
    name: 'new ES256',
    title: 'signed in, new token (ES256)',
    quick: true,
    fresh: 'tokens',
    requests: fresh('ES256'),
  },
  { name: 'new RS256', title: 'signed in, new token (RS256)', fresh: 'tokens', requests: fresh('RS256') },
  { name: 'new HS256', title: 'signed in, new token (HS256)', fresh: 'tokens', requests: fresh('HS256') },
  {
    name: 'no token',
    title: 'refused: no token',
    quick: true,
    status: 401,
    requests: anonymous({ path: '/api/agents?page=1' }),
  },
  {
    name: 'forged',
    title: 'refused: forged signature',
    status: 401,
    fresh: 'tokens',
    requests: (world, seconds) => times(FASTEST.ES256 * seconds, (at) => forgery(world, at)),
  },
  {
    name: 'limited',
    title: 'refused: limit used up',
    quick: true,
    status: 429,
    requests: exhausted({ path: '/api/agents?page=1' }),
    primed: 1_000,
  },
  {
    name: 'hit',
    title: 'cache hit, 300 bytes',
    quick: true,
    cached: true,
    requests: anonymous({ path: '/_next/static/chunks/small.js' }),
  },
  {
    name: 'hit 1 MiB',
    title: 'cache hit, 1 MiB',
    cached: true,
    requests: anonymous({ path: `/_next/static/chunks/large.js?_bytes=${MIB}` }),
  },
  {
    name: 'miss',
    title: 'cache miss, stored',
    fresh: 'paths',
    requests: (_, seconds) =>
      times(40_000 * seconds, () => ({
        path: `/_next/static/chunks/${(missed += 1)}.js`,
        headers: BROWSER,
      })),
  },
  {
    name: 'download',
    title: '64 MiB through, signed in',
    quick: true,
    connections: 4,
    requests: known({ path: `/api/exports/latest?_bytes=${64 * MIB}` }),
  },
  {
    name: 'upload',
    title: 'upload of 1 MiB, signed in',
    connections: 8,
    requests: known({ method: 'POST', path: '/api/imports', size: MIB }, 200),
  },
  {
    name: 'streams',
    title: '200 event streams of 20 frames',
    connections: 200,
    requests: known({ path: '/api/v1/public/threads/7/response?realtime=true&_frames=20&_every=25' }),
  },
  { name: 'mix', title: 'the traffic of a session', requests: (world) => mix(world, signed, BROWSER) },
];

/** Each address sends few enough that it is heard. */
function forgery(world, at) {
  const address = `198.18.${(at >> 8) & 255}.${at & 255}`;
  return {
    path: '/api/agents?page=1',
    headers: { ...signed(world.token(at % USERS, { forged: true })), 'CF-Connecting-IP': address },
  };
}
