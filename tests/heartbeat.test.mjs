//! Whatever a stream holds and however it is cut into chunks, heartbeats change nothing of what a page sees.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Place, pipeAlive } from '../edge/src/heartbeat.js';

const SILENCE = 15_000;
const latin1 = (bytes) => Buffer.from(bytes).toString('latin1');
const bytes = (text) => Uint8Array.from(Buffer.from(text, 'latin1'));
const BOM = '\xef\xbb\xbf';

/** Random numbers below a bound, the same every time (a linear congruential generator). */
function random(seed) {
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

const PIECES = [
  [
    '\n',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\r\n\r\n',
    ':',
    ' ',
    'data',
    'data: a',
    'data:b',
    'event: e',
    'id: 7',
    'id',
  ],
  ['retry: 9', ': c', 'x', '\xef', '\xbb', '\xbf', BOM, '\xc3\xbc', '\0'],
].flat();

/** A stream in chunks: any text of what streams are made of, with a mark at its start or not. */
function anyStream(next) {
  const text = Array.from({ length: next(40) }, () => PIECES[next(PIECES.length)]).join('');
  const whole = next(2) ? BOM + text : text;
  const cuts = Array.from({ length: next(30) }, () => next(whole.length + 1)).sort(
    (one, other) => one - other,
  );
  return [0, ...cuts].map((cut, at) => whole.slice(cut, cuts[at] ?? whole.length));
}

/** What a page sees of a stream, line for line after HTML §9.2.6, apart from the code under test. */
function seen(stream) {
  const lines = Buffer.from(stream, 'latin1')
    .toString()
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .slice(0, -1);
  const page = { events: [], retry: undefined, lastId: '' };
  let [data, type, id] = ['', '', ''];
  for (const line of lines) {
    const [, field, value] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line);
    if (line === '') {
      page.lastId = id;
      if (data) page.events.push([type, data, id]);
      [data, type] = ['', ''];
    } else if (field === 'event') type = value;
    else if (field === 'data') data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) page.retry = Number(value);
  }
  return page;
}

/** The stream with a heartbeat before it, and after each chunk, where one is wished for and may stand. */
function beaten(chunks, wishes) {
  const place = new Place();
  let out = '';
  for (const chunk of ['', ...chunks]) {
    out += place.pass(bytes(chunk)).map(latin1).join('');
    if (!wishes() || !place.isBetween()) continue;
    place.putIn();
    out += ':\n\n';
  }
  return out;
}

test('heartbeats never change what a page sees of a stream', () => {
  const next = random(7);
  let put = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const chunks = anyStream(next);
    const [whole, out] = [chunks.join(''), beaten(chunks, () => next(3) > 0)];
    assert.deepEqual(seen(out), seen(whole), JSON.stringify(chunks));
    put += out.length > whole.length ? 1 : 0;
  }
  assert.ok(put > 10_000, `heartbeats were put into ${put} streams`);
});

test('where none is put in, every byte is passed on, however it is cut', () => {
  const next = random(8);
  for (let round = 0; round < 5_000; round += 1) {
    const chunks = anyStream(next);
    assert.equal(
      beaten(chunks, () => false),
      chunks.join(''),
    );
  }
});

test('HTML 9.2.6: an event ends with an empty line, however lines end', () => {
  const isBetween = (text) => {
    const place = new Place();
    place.pass(bytes(text));
    return place.isBetween();
  };
  for (const ended of [
    '',
    'data: a\n\n',
    'data: a\r\r',
    'data: a\r\n\r\n',
    'data: a\r\n\r',
    'data: a\n\r\n',
    '\n',
  ])
    assert.ok(isBetween(ended), JSON.stringify(ended));
  for (const open of ['d', 'data: a', 'data: a\n', 'data: a\r', 'data: a\r\n', 'data: a\n\ndata: b\n', BOM])
    assert.ok(!isBetween(open), JSON.stringify(open));
});

test('HTML 9.2.5: behind a heartbeat a byte order mark is dropped, even in pieces; what is none is kept', () => {
  const before = (chunks) => {
    const place = new Place();
    place.putIn();
    return chunks.map((chunk) => place.pass(bytes(chunk)).map(latin1).join('')).join('');
  };
  assert.equal(before(['\xef', '\xbb', '\xbfdata: a\n\n']), 'data: a\n\n');
  assert.equal(before([`${BOM}data: a\n\n`]), 'data: a\n\n');
  assert.equal(before(['\xef', '\xbbx']), '\xef\xbbx');
});

/** Lets everything happen that needs no time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A stream that the test feeds, piped alive, with a clock of the test's own. */
function piped(context, { first = '' } = {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const heard = {};
  const source = new ReadableStream(
    {
      start: (controller) => void (heard.controller = controller),
      cancel: (reason) => void (heard.left = reason),
    },
    { highWaterMark: 0 },
  );
  const { readable, writable } = new TransformStream();
  const done = pipeAlive(source, writable, SILENCE, first);
  const reader = readable.getReader();
  const read = async () => latin1((await reader.read()).value ?? []);
  const pass = async (ms) => {
    await settle();
    context.mock.timers.tick(ms);
    await settle();
  };
  return { heard, done, writable, reader, read, pass, feed: (text) => heard.controller.enqueue(bytes(text)) };
}

/** What a promise has given so far. */
function soFar(promise) {
  const state = {};
  promise.then((value) => (state.value = value));
  return state;
}

test('each silence between events is broken at its bound, from the start on', async (context) => {
  const { read, pass, feed } = piped(context);
  for (const event of ['', 'data: a\n\n', 'data: b\r\n\r\n']) {
    if (event) {
      feed(event);
      assert.equal(await read(), event);
    }
    for (let times = 0; times < 3; times += 1) {
      const next = soFar(read());
      await pass(SILENCE - 1);
      assert.deepEqual(next, {});
      await pass(1);
      assert.equal(next.value, ':\n\n');
    }
  }
});

test('what comes meanwhile puts the heartbeat off', async (context) => {
  const { read, pass, feed } = piped(context);
  await pass(SILENCE - 1_000);
  feed('data: a\n\n');
  assert.equal(await read(), 'data: a\n\n');
  const next = soFar(read());
  await pass(SILENCE - 1);
  assert.deepEqual(next, {});
  await pass(1);
  assert.equal(next.value, ':\n\n');
});

test('silence within an event is kept', async (context) => {
  const { read, pass, feed } = piped(context);
  feed('data: {\n');
  await read();
  const next = soFar(read());
  for (let times = 0; times < 10; times += 1) await pass(SILENCE);
  assert.deepEqual(next, {});
  feed('\n');
  await settle();
  assert.equal(next.value, '\n');
});

test('nothing is put in while the client takes nothing', async (context) => {
  const { read, pass, feed } = piped(context);
  feed('data: a\n\n');
  for (let times = 0; times < 10; times += 1) await pass(SILENCE);
  feed('data: b\n\n');
  assert.equal(await read(), 'data: a\n\n');
  assert.equal(await read(), 'data: b\n\n');
});

test('what a stream begins with comes at once, and a mark behind it goes', async (context) => {
  const { read, feed } = piped(context, { first: 'retry: 2345\n\n' });
  assert.equal(await read(), 'retry: 2345\n\n');
  feed(`${BOM}data: a\n\n`);
  assert.equal(await read(), 'data: a\n\n');
});

test('that the client left is told to a silent source at once', async (context) => {
  const { heard, done, reader } = piped(context);
  await settle();
  await reader.cancel('gone');
  await assert.rejects(done);
  assert.notEqual(heard.left, undefined);
});

test('the end is the end; a failure is one, and leaves the other side to whoever asked', async (context) => {
  const ended = piped(context);
  ended.heard.controller.close();
  assert.equal((await ended.reader.read()).done, true);
  await ended.done;
  context.mock.timers.reset();
  const failed = piped(context);
  failed.heard.controller.error(new Error('reset'));
  await assert.rejects(failed.done, /reset/);
  const writer = failed.writable.getWriter();
  writer.close();
  assert.equal((await failed.reader.read()).done, true);
});

test('no timer outlives a stream', async (context) => {
  const { heard, done, reader } = piped(context);
  const set = context.mock.method(globalThis, 'setTimeout');
  heard.controller.close();
  await reader.read();
  await done;
  context.mock.timers.tick(10 * SILENCE);
  assert.equal(set.mock.callCount(), 0);
});
