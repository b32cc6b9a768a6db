//! Fixed windows, counted by this isolate alone: the cheapest there is, and not exact.

const MOST = 100_000;
const counters = new Map(); // limit and caller -> for each window, what was used and when it ends

/** Takes one of each window, if all have room. Nothing for a route without a limit. */
export function take({ limit, windows }, caller) {
  if (windows.length === 0) return undefined;
  const now = Date.now();
  const state = counted(`${limit}/${caller}`, windows, now);
  const refused = state.some(({ used }, at) => used >= windows[at].quota);
  if (!refused) for (const one of state) one.used += 1;
  return { refused, describe: (response) => describe(response, windows, state, now, refused) };
}

function counted(key, windows, now) {
  let state = counters.get(key);
  if (!state) {
    if (counters.size >= MOST) counters.delete(counters.keys().next().value);
    state = windows.map(({ seconds }) => ({ used: 0, ends: now + seconds * 1000 }));
    counters.set(key, state);
  }
  state.forEach((one, at) => {
    if (one.ends <= now) Object.assign(one, { used: 0, ends: now + windows[at].seconds * 1000 });
  });
  return state;
}

/** The fields that tell the caller how the tightest window stands. */
function describe(response, windows, state, now, refused) {
  const left = state.map(({ used }, at) => windows[at].quota - used);
  const tightest = left.indexOf(Math.min(...left));
  const reset = Math.ceil((state[tightest].ends - now) / 1000);
  const { headers } = response;
  headers.set('ratelimit', windows.map((_, at) => `"${at}";r=${left[at]};t=${reset}`).join(', '));
  headers.set(
    'ratelimit-policy',
    windows.map(({ quota, seconds }, at) => `"${at}";q=${quota};w=${seconds}`).join(', '),
  );
  headers.set('x-ratelimit-limit', String(windows[tightest].quota));
  headers.set('x-ratelimit-remaining', String(left[tightest]));
  headers.set('x-ratelimit-reset', String(reset));
  if (refused) headers.set('retry-after', String(reset));
  return response;
}
