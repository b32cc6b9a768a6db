//! Tests of the suite that are newer than the npm package, or told anew since; `changed.mjs` says in which terms.
import { BECOMES_STALE, LASTING } from './changed.mjs';

/** By the suite that they belong to. */
export const added = {
  'cc-freshness': [
    test(
      'freshness-max-age-stale',
      'required',
      'freshness-max-age',
      first(BECOMES_STALE),
      again('not_cached'),
    ),
  ],
  'age-parse': [
    ...['2147483647', '2147483648', '2147483649'].map((age, index) =>
      test(
        `age-parse-large${['-minus-one', '', 'r'][index]}`,
        'required',
        'freshness-max-age-age',
        aged(age),
        again('not_cached'),
      ),
    ),
    test('age-parse-suffix', 'required', 'freshness-max-age-age', aged('7200, 0'), again('not_cached')),
    test('age-parse-prefix', 'required', 'freshness-max-age-age', aged('0, 7200'), again('cached')),
    test(
      'age-parse-dup-old',
      'required',
      'freshness-max-age-age',
      first([
        ['Date', 0],
        ['Cache-Control', 'max-age=10000'],
        ['Age', '3600', false],
        ['Age', '3600', false],
      ]),
      again('cached'),
    ),
  ],
  'expires-parse': [
    expires('freshness-expires-32bit', 'Tue, 19 Jan 2038 14:14:08 GMT'),
    expires('freshness-expires-far-future', 'Sun, 21 Nov 2286 04:46:39 GMT'),
  ],
  'cc-response': [
    olderThanNoStore('cc-resp-no-store-old-new', 'no-store'),
    olderThanNoStore('cc-resp-no-store-old-max-age', 'no-store, max-age=0'),
  ],
  stale: [
    test(
      'stale-while-revalidate',
      'optimal',
      'freshness-max-age-stale',
      first([
        ['Cache-Control', 'max-age=1, stale-while-revalidate=3600'],
        ['ETag', '"abc"'],
      ]),
      again('cached'),
    ),
    test(
      'stale-while-revalidate-window',
      'required',
      'stale-while-revalidate',
      first([
        ['Cache-Control', 'max-age=1, stale-while-revalidate=4'],
        ['ETag', '"abc"'],
      ]),
      {
        ...first([
          ['Cache-Control', 'no-cache', false],
          ['ETag', '"def"', false],
        ]),
        ...again('cached'),
      },
      { expected_response_headers: [['client-request-count', '3']] },
    ),
  ],
  status: [
    test(
      'status-200-must-understand',
      'optimal',
      'status-200-fresh cc-resp-no-store-fresh',
      {
        response_status: [200, 'OK'],
        response_headers: [['Cache-Control', 'max-age=3600, no-store, must-understand']],
        setup: true,
      },
      again('cached'),
    ),
  ],
  'conditional-inm': [
    test(
      'conditional-etag-vary-headers-mismatch',
      'check',
      'conditional-etag-vary-headers vary-no-match',
      {
        ...first([
          ['Expires', 10000],
          ['ETag', '"abcdef"'],
          ['Date', 0],
          ['Vary', 'Abc'],
        ]),
        request_headers: [['Abc', '123']],
      },
      {
        request_headers: [['Abc', '456']],
        expected_request_headers_missing: [['If-None-Match', '"abcdef"']],
      },
    ),
  ],
  auth: [
    test(
      'other-authorization',
      'required',
      'freshness-max-age',
      {
        ...lasting(),
        request_headers: [['Authorization', 'FOO']],
        expected_request_headers: [['Authorization', 'FOO']],
      },
      again('not_cached'),
    ),
  ],
  other: [
    test('other-age-gen', 'required', 'freshness-max-age', lasting(), again('cached', ['Age', '>', 2])),
    test('other-age-delay', 'check', '', {
      response_headers: [
        ['Cache-Control', 'max-age=3600'],
        ['Date', 0],
      ],
      response_pause: 5,
      expected_response_headers: [['age', '>', 0]],
    }),
    test(
      'other-age-update-max-age',
      'required',
      'freshness-max-age',
      lasting(['Age', '30']),
      again('cached', ['Age', '>', 32]),
    ),
    test('other-date-update', 'required', 'freshness-max-age', lasting(), again('cached', ['Date', 0])),
    test(
      'other-date-update-expires',
      'required',
      'freshness-expires-future',
      inAMonth(),
      again('cached', ['Date', 0]),
    ),
    test(
      'other-date-update-expires-update',
      'check',
      'freshness-expires-future',
      inAMonth(),
      again('cached', ['Expires', 30 * 24 * 60 * 60]),
    ),
    test(
      'other-fresh-content-disposition-attachment',
      'check',
      'freshness-max-age',
      lasting(['Content-Disposition', 'attachment; filename=example.txt']),
      again('cached'),
    ),
    test('other-set-cookie', 'optimal', 'freshness-max-age', lasting(['Set-Cookie', 'a=b']), again('cached')),
    test('other-cookie', 'optimal', 'freshness-max-age', lasting(), {
      ...again('cached'),
      request_headers: [['Cookie', 'a=b']],
    }),
  ],
  'cdn-cache-control': [
    cdn('max-age', 'optimal', 'max-age=3600', 'cached', [], 'freshness-none'),
    cdn('max-age-max', 'optimal', 'max-age=2147483648', 'cached', [], 'freshness-none'),
    cdn('max-age-max-plus', 'optimal', 'max-age=99999999999', 'cached', [], 'freshness-none'),
    cdn('max-age-age', 'required', 'max-age=3600', 'not_cached', [
      ['Date', 0],
      ['Age', '7200'],
    ]),
    cdn('max-age-space-before-equals', 'check', 'max-age =100', 'not_cached', [
      ['Cache-Control', 'max-age=1'],
    ]),
    cdn('max-age-space-after-equals', 'check', 'max-age= 100', 'not_cached', [
      ['Cache-Control', 'max-age=1'],
    ]),
    cdn('max-age-0', 'required', 'max-age=0', 'not_cached'),
    cdn('max-age-extension', 'optimal', 'foobar, max-age=3600', 'cached'),
    cdn('max-age-case-insensitive', 'check', 'MaX-aGe=3600', 'cached'),
    cdn('max-age-expires', 'optimal', 'max-age=3600', 'cached', [
      ['Expires', -10000],
      ['Date', 0],
    ]),
    cdn('max-age-cc-max-age-invalid-expires', 'optimal', 'max-age=3600', 'cached', [
      ['Expires', '0', false],
      ['Date', 0],
    ]),
    cdn('max-age-0-expires', 'required', 'max-age=0', 'not_cached', [
      ['Expires', 10000],
      ['Date', 0],
    ]),
    cdn('max-age-short-cc-max-age', 'optimal', 'max-age=3600', 'cached', [['Cache-Control', 'max-age=1']]),
    cdn('max-age-long-cc-max-age', 'required', 'max-age=1', 'not_cached', [
      ['Cache-Control', 'max-age=3600'],
    ]),
    againstLastingFields('private'),
    againstLastingFields('no-cache'),
    cdn(
      'no-store-cc-fresh',
      'required',
      'no-store',
      'not_cached',
      [
        ['Cache-Control', 'max-age=10000'],
        ['Expires', 10000],
        ['Date', 0],
      ],
      'freshness-none',
    ),
    cdn(
      'fresh-cc-nostore',
      'required',
      'max-age=10000',
      'cached',
      [['Cache-Control', 'no-store']],
      'freshness-none',
    ),
    cdn('cc-invalid-sh-type-unknown', 'required', 'max-age=10000, &&&&&', 'not_cached', [
      ['Cache-Control', 'no-store'],
    ]),
    cdn('cc-invalid-sh-type-wrong', 'required', 'max-age="10000"', 'not_cached', [
      ['Cache-Control', 'no-store'],
    ]),
    test('cdn-remove-header', 'check', '', {
      response_headers: [
        ['Cache-Control', 'max-age=10000'],
        ['CDN-Cache-Control', 'foo', false],
        ['Expires', 10000],
        ['Date', 0],
      ],
      expected_response_headers: [['CDN-Cache-Control', 'foo']],
    }),
    exceeding('cdn-remove-age-exceed', 'Age'),
    exceeding('cdn-date-update-exceed', ['Date', 0]),
    exceeding('cdn-expires-update-exceed', ['Expires', 1], ['Expires', 1]),
  ],
  interim: [
    interim('interim-102', 'optimal', [[102]]),
    interim('interim-103', 'optimal', [hints(['x-my-header', 'test'])]),
    interim('interim-not-cached', 'required', [hints()], {}, { expected_interim_responses: [] }),
    interim(
      'interim-no-header-reuse',
      'optimal',
      [hints(['x-my-header', 'test'])],
      { expected_response_headers_missing: ['x-my-header'] },
      { expected_response_headers_missing: ['x-my-header'] },
    ),
  ],
};

function test(id, kind, needed, ...requests) {
  return { id, name: id, kind, depends_on: needed ? needed.split(' ') : [], requests };
}

/** A request whose answer is to be stored, and three seconds of time. */
function first(fields) {
  return { response_headers: fields, setup: true, pause_after: true };
}

function lasting(...fields) {
  return first([LASTING, ['Date', 0], ...fields]);
}

/** The same request again, answered from the cache or not, with a field. */
function again(type, field) {
  return { expected_type: type, ...(field && { expected_response_headers: [field] }) };
}

function aged(age) {
  return first([
    ['Date', 0],
    ['Cache-Control', 'max-age=3600'],
    ['Age', age, false],
  ]);
}

function expires(id, date) {
  return test(
    id,
    'optimal',
    'freshness-expires-future',
    first([
      ['Expires', date, false],
      ['Date', 0],
    ]),
    again('cached'),
  );
}

function inAMonth() {
  return first([
    ['Expires', 30 * 24 * 60 * 60],
    ['Date', 0],
  ]);
}

function olderThanNoStore(id, newer) {
  return test(
    id,
    'required',
    'cc-resp-no-store',
    first([
      ['Cache-Control', 'max-age=10000'],
      ['Expires', 10000],
      ['Date', 0],
      ['A', '1'],
    ]),
    first([
      ['Cache-Control', newer],
      ['Date', 0],
      ['A', '2'],
    ]),
    again('cached', ['a', '1']),
  );
}

function cdn(name, kind, control, type, fields = [], needed = 'cdn-max-age') {
  return test(
    `cdn-${name}`,
    kind,
    needed,
    first([...fields, ['CDN-Cache-Control', control, false]]),
    again(type),
  );
}

function againstLastingFields(control) {
  const fields = [
    ['Cache-Control', 'max-age=10000'],
    ['Expires', 10000],
    ['Date', 0],
  ];
  const request = { response_headers: [['CDN-Cache-Control', control], ...fields], setup: true };
  return test(`cdn-${control}`, 'required', '', request, again('not_cached'));
}

function exceeding(id, expected, ...fields) {
  const request = first([
    ['Cache-Control', 'max-age=1'],
    ...fields,
    ['CDN-Cache-Control', 'max-age=10000'],
    ['Date', 0],
  ]);
  return test(id, 'check', 'cdn-max-age', request, { expected_response_headers: [expected] });
}

function hints(...fields) {
  return [103, [['link', '</styles.css>; rel=preload; as=style'], ...fields]];
}

function interim(id, kind, responses, firstMore = {}, againMore = {}) {
  const request = {
    interim_responses: responses,
    expected_interim_responses: responses,
    response_headers: [LASTING, ['Date', 0]],
    pause_after: true,
    ...firstMore,
  };
  return test(id, kind, '', request, { ...again('cached'), ...againMore });
}
