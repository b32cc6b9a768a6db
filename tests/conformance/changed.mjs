//! What the suite's repository has changed since the npm package was made, as of the results that it publishes of
//! other caches: without it the two could not stand side by side. Told in the package's own terms: a response's
//! fields are `[name, value]`, a third `false` says that the value may change on its way, and a number in place of a
//! date counts seconds from now.

export const removed = [
  'freshness-max-age-ignore-quoted-all',
  'freshness-max-age-ignore-quoted-all-rev',
  'freshness-max-age-multiple-line',
  'freshness-max-age-multiple-directive',
];

/** The class of a test, where it has changed. */
export const kinds = [
  [/^freshness-expires-(32bit|far-future|rfc850|ansi-c|wrong-case-\w+)$/, 'optimal'],
  [/^freshness-expires-invalid-(?!date$)./, 'required'],
  [/^partial-use-stored-headers$/, 'required'],
  [/^age-parse-(numeric-)?parameter$/, 'check'],
  [/^invalidate-.*-(location|cl)$/, 'check'],
  [/^304-etag-update-response-(Content-(?!Foo|Length)|Clear|ETag|Expires|Public|Set|X-(Frame|XSS))/, 'check'],
];

/** The tests that must pass before one means anything, where they have changed. */
export const needs = [
  [
    /^(status-.*-fresh|headers-(store|omit-headers-listed-in-Connection)|partial-store|vary-match$)/,
    'freshness-max-age',
  ],
  [/^(conditional-etag-(strong|weak)-respond$|query-args|invalidate-[A-Z-]+$)/, 'freshness-max-age'],
  [
    /^other-(age-gen|age-update-max-age|date-update|fresh-|set-cookie|cookie|authorization$)/,
    'freshness-max-age',
  ],
  [/^other-age-update-expires$/, 'freshness-expires-future'],
  [/^(other-heuristic-|pragma-response-no-cache-heuristic)/, 'heuristic-200-cached'],
  [
    /^(conditional-etag-(strong-generate|weak-generate-weak)$|stale-(close|503|sie-))/,
    'freshness-max-age-stale',
  ],
  [/^stale-close-/, 'stale-close'],
  [/^headers-omit-headers-listed-in-Cache-Control/, 'cc-resp-no-cache-revalidate'],
  [/^vary-(no-match|omit|invalidate|cache-key|2-match$|normalise|syntax)/, 'vary-match'],
  [/^vary-(2-(no-match|match-omit)|3-match)$/, 'vary-2-match'],
  [/^vary-3-(no-match|order|omit)$/, 'vary-3-match'],
  [/^invalidate-([A-Z-]+)-(failed|location|cl)$/, (method) => `invalidate-${method}`],
];

/** Changes within tests. */
export const changes = [
  [/^freshness-expires-invalid-(?!date$)./, answered('not_cached')],
  [/^age-parse-(nonnumeric|negative|float|prefix-twoline|dup-0|dup-0-twoline)$/, answered('cached')],
  [
    /^(status-.*-fresh|ccreq-ma[01]|query-args|conditional-(304-)?etag-(?!vary|.*generate|forward))/,
    freshByMaxAge,
  ],
  [/^invalidate-/, freshByMaxAge],
  [/^vary-/, selectedByMaxAge],
  [/^conditional-etag-.*generate/, staleAfterTwoSeconds],
  [/^304-etag-update-response-(Content-(Encoding|MD5|Range)|ETag)$/, takesTheNewValue],
  [/^304-etag-update-response-Content-Length$/, ownLength],
  [/^invalidate-(PUT|DELETE|M-SEARCH)-location$/, byItsMethod],
  [/^stale-close-/, anyAnswerButTheStored],
];

export const LASTING = ['Cache-Control', 'max-age=100000'];
const SELECTED = ['Cache-Control', 'max-age=5000'];
export const BECOMES_STALE = [
  ['Cache-Control', 'max-age=2'],
  ['Template-A', '1'],
];

function answered(type) {
  return ({ requests }) => {
    requests.at(-1).expected_type = type;
  };
}

function freshByMaxAge({ requests }) {
  for (const request of requests.filter(({ response_headers: fields }) => has(fields, 'Expires', 100000))) {
    const target = request.filename !== undefined;
    const others = request.response_headers.filter(([name]) => name !== 'Expires' && name !== 'Date');
    const kept = target ? others : others.filter(([name, value]) => name !== 'Last-Modified' || value !== 0);
    request.response_headers = [LASTING, ['Date', 0], ...kept];
    if (!target) Object.assign(request, { setup: true, pause_after: true });
  }
}

function selectedByMaxAge({ id, requests }) {
  for (const request of requests.filter(({ response_headers: fields }) => has(fields, 'Expires', 5000)))
    request.response_headers[0] = SELECTED;
  if (id !== 'vary-3-order') return;
  requests[0].request_headers[1][1] = 'abc';
  requests[1].request_headers = [['Foo', '1'], ['Baz', '789'], ['Bar', 'abcde']]; // prettier-ignore
}

function staleAfterTwoSeconds({ requests: [first] }) {
  first.response_headers = [...BECOMES_STALE, ...first.response_headers.filter(([name]) => name === 'ETag')];
}

function takesTheNewValue({ id, requests }) {
  const name = id.slice('304-etag-update-response-'.length);
  const fieldOf = ({ response_headers: fields }) => fields.find(([one]) => one === name);
  const value = fieldOf(requests[1])[1];
  fieldOf(requests[2])[1] = value;
  for (const request of requests) fieldOf(request)[2] = true;
  for (const request of requests.slice(1)) request.expected_response_headers = [[name, value]];
}

function ownLength({ requests }) {
  for (const [index, request] of requests.entries()) {
    if (index !== 1) request.response_headers.find(([name]) => name === 'Content-Length')[1] = '36';
    if (index > 0) request.expected_response_headers = [['Content-Length', '36']];
  }
}

function byItsMethod({ id, requests }) {
  requests[1].request_method = /^invalidate-(.*)-location$/.exec(id)[1];
}

function anyAnswerButTheStored({ requests }) {
  requests[1] = {
    disconnect: true,
    expected_status: null,
    check_body: false,
    expected_response_headers_missing: ['server-request-count'],
  };
}

const has = (fields, name, value) => fields?.some((field) => field[0] === name && field[1] === value);
