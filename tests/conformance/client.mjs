//! The `fetch` that the suite's tests are given: it does what the suite's own client has learnt since the package was
//! made. It sends with every request the fields that keep `fetch` from adding its own, gives up after ten seconds, and
//! checks interim responses and fields that must not have reached the origin.
import { fetch, getGlobalDispatcher } from 'undici';

const TIMEOUT_MS = 10_000;
/** In their place `fetch` would send `no-cache`, which means something. */
const NEUTRAL = [
  ['Pragma', 'foo'],
  ['Cache-Control', 'nothing-to-see-here'],
];

/** A `fetch` for these tests; `onTest` is called when one begins. */
export function clientOf(tests, onTest) {
  const byId = new Map(tests.map((test) => [test.id, test]));
  const running = new Map(); // the token in a test's addresses -> the test
  return async (url, init = {}) => {
    const [, kind, token] = new URL(url).pathname.split('/');
    if (kind === 'config') onTest();
    if (kind !== 'test') return checkedState(await timed(url, init), running.get(token));
    const test = byId.get(fieldOf(init.headers, 'Test-ID'));
    running.set(token, test);
    return ask(url, init, test.requests[fieldOf(init.headers, 'Req-Num') - 1]);
  };
}

const timed = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
const fieldOf = (headers, name) => headers.find(([one]) => one === name)?.[1];

async function ask(url, init, config) {
  const interim = [];
  const wanted = config.expected_interim_responses;
  const response = await timed(url, {
    ...init,
    headers: fieldOf(init.headers, 'Pragma') === 'foo' ? init.headers : [...NEUTRAL, ...init.headers],
    ...(wanted && { dispatcher: getGlobalDispatcher().compose(collecting(interim)) }),
  });
  if (config.expected_status === null) config.expected_status = response.status; // any will do
  return wanted ? checkedInterim(response, wanted, interim) : response;
}

/** Keeps each interim response as `[status, fields]`. */
const collecting = (interim) => (dispatch) => (options, handler) =>
  dispatch(
    options,
    new Proxy(handler, {
      get(target, name) {
        if (name !== 'onResponseStart') return target[name]?.bind?.(target) ?? target[name];
        return (controller, status, fields, phrase) => {
          if (status < 200) interim.push([status, fields]);
          return target.onResponseStart(controller, status, fields, phrase);
        };
      },
    }),
  );

/** The suite looks at interim responses last, before the content. */
function checkedInterim(response, wanted, got) {
  const text = response.text.bind(response);
  response.text = async () => {
    for (const [index, [status, fields = []]] of wanted.entries()) {
      const which = `Interim response ${index + 1}`;
      if (!got[index]) throw failure(`${which} not received`);
      if (got[index][0] !== status) throw failure(`${which} status is ${got[index][0]}, not ${status}`);
      for (const [name] of fields)
        if (!(name in got[index][1])) throw failure(`${which} ${name} header not present.`);
    }
    return text();
  };
  return response;
}

/** What the origin has seen, unless it has seen what it must not. */
function checkedState(response, test) {
  if (!test || response.status !== 200) return response;
  const text = response.text.bind(response);
  response.text = async () => {
    const state = await text();
    for (const { request_num: number, request_headers: headers } of JSON.parse(state))
      for (const [name, value] of test.requests[number - 1].expected_request_headers_missing ?? [])
        if (headers[name.toLowerCase()] === value)
          throw failure(`Request ${number} header ${name} is "${value}"`);
    return state;
  };
  return response;
}

/** As the suite's own assertions fail. */
const failure = (message) => Object.assign(new Error(message), { name: 'Assertion' });
