//! A visible tab for twelve minutes with two runs of an agent, as the app's pages make requests: kinds and numbers are
//! read from its public code (polls, queries, preflights), sizes of documents and images estimated. Event streams are
//! measured by themselves: they would set how long the rest takes. What goes to third parties is left out.

const KB = 1_000;
/** Requests per session of each kind; a fifth of the sessions begins with an empty browser cache. */
const KINDS = [
  [1, () => ({ path: '/' })],
  [2, () => ({ path: `/dashboard?_bytes=${60 * KB}` })],
  [8, () => ({ path: `/agents?_rsc=1a2b&_bytes=${8 * KB}` })],
  [16, (at) => ({ path: `/_next/static/chunks/${at % 70}.js?_bytes=${25 * KB}` })],
  [16, () => ({ path: '/api/edge-flags' })],
  [16, () => ({ path: '/api/health' })],
  [4, () => ({ path: '/api/agents?page=1', user: true })],
  [6, () => ({ path: '/api/billing/subscription', user: true })],
  [5, (at) => ({ path: `/api/thread/${at}/agent-runs`, user: true })],
  [7, (at) => ({ path: `/api/sandboxes/${at}/files`, user: true })],
  [4, (at) => ({ path: `/api/sandboxes/${at}/files/content?path=a&_bytes=${20 * KB}`, user: true })],
  [18, () => ({ method: 'OPTIONS', path: '/api/agents?page=1', preflight: true })],
  [2, (at) => ({ method: 'POST', path: `/api/project/${at}/sandbox/ensure-active`, user: true })],
  [1, () => ({ method: 'POST', path: '/api/agent/initiate', size: 2 * KB, user: true })],
  [1, (at) => ({ method: 'POST', path: `/api/thread/${at}/agent/start`, size: 300, user: true })],
];
const SESSIONS = 200;
const PREFLIGHT = {
  Origin: 'https://he2.ai',
  'Access-Control-Request-Method': 'GET',
  'Access-Control-Request-Headers': 'authorization',
};

/** The requests of many sessions, one for each user, all mixed. */
export function mix(world, signed, browser) {
  const requests = Array.from({ length: SESSIONS }, (_, user) => session(world, user, signed, browser));
  return shuffled(requests.flat());
}

function session(world, user, signed, browser) {
  const own = { ...browser, 'CF-Connecting-IP': `192.0.2.${user % 250}` };
  return KINDS.flatMap(([count, make]) =>
    Array.from({ length: count }, (_, at) => {
      const { user: signsIn, preflight, ...request } = make(user + at);
      const fields = signsIn ? { ...signed(world.seen(user)), ...own } : own;
      return {
        ...request,
        headers: { ...fields, ...(preflight ? PREFLIGHT : { Origin: 'https://he2.ai' }) },
      };
    }),
  );
}

/** The same order in every run (a linear congruential generator). */
function shuffled(items) {
  let state = 1;
  const next = (below) => (state = (state * 48_271) % 2_147_483_647) % below;
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = next(at + 1);
    [items[at], items[other]] = [items[other], items[at]];
  }
  return items;
}
