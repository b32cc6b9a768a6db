//! Many event streams at once, with silent gaps: what each was sent and what of it came, and how soon the origin sees that
//! its clients leave.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { bearer, open, until } from '../harness/client.mjs';
import { workerds } from '../harness/process.mjs';

/** So many streams of one caller: `waits` in he2.toml lets in no more. */
const EACH = 10;
/** Events come in runs, and a silence follows. */
const [RUN, PAUSE_MS, SILENCE_MS] = [10, 40, 16_000];

/**
 * Opens so many `streams` for so many `seconds`, after `warmUp` events of each. Gives, of each, the numbers that were
 * written and those that came, in order; the memory of workerd (KiB) once all are open and warm, half-way and at the end;
 * and how long after each client left its origin saw it (ms).
 */
export async function manyStreams({ origin, issuer, gateway }, { streams, seconds, warmUp = 0 }) {
  const users = await Promise.all(Array.from({ length: Math.ceil(streams / EACH) }, () => issuer.mint()));
  const all = [];
  // A few at a time: who comes with hundreds at once is kept out, so that the origin lives.
  while (all.length < streams) {
    const next = Array.from(
      { length: Math.min(EACH, streams - all.length) },
      (_, index) => all.length + index,
    );
    const user = users[Math.floor(all.length / EACH)];
    all.push(...(await Promise.all(next.map((index) => openOne({ origin, gateway }, index, user)))));
  }
  await Promise.all(all.map((stream) => run(stream, warmUp)));
  await arrived(all);
  const ends = Date.now() + seconds * 1_000;
  const memory = [residentKiB()];
  const writing = all.map((stream) => write(stream, ends));
  await delay((seconds * 1_000) / 2);
  memory.push(residentKiB());
  await Promise.all(writing);
  await arrived(all);
  memory.push(residentKiB());
  const left = await Promise.all(all.map(leave));
  return { all: all.map(({ sent, got }) => ({ sent, got: got() })), memory, left };
}

const arrived = (all) =>
  until(() => all.every(({ sent, got }) => got().length === sent.length), 'all that was sent has come', 20_000);

async function openOne({ origin, gateway }, index, token) {
  const path = `/api/v1/public/threads/soak-${index}/response`;
  const writer = Promise.withResolvers();
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    writer.resolve(response);
  });
  const target = `${path}?realtime=true`;
  const response = await open(gateway, 'GET', target, { host: 'api.he2.ai', headers: bearer(token) });
  if (response.statusCode !== 200) throw new Error(`stream ${index}: ${response.statusCode}`);
  let text = '';
  response.on('data', (bytes) => (text += bytes));
  response.on('error', () => {}); // it leaves by itself
  // Whatever is no comment is counted, whole.
  const got = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((event) => event !== ':');
  return { response, writer: await writer.promise, sent: [], got };
}

/** Writes events until the end, in runs at times of each stream's own. */
async function write(stream, ends) {
  await delay(Math.random() * 1_000);
  while (Date.now() < ends) {
    await run(stream, RUN);
    await delay(Math.max(0, Math.min(SILENCE_MS, ends - Date.now())));
  }
}

/** Writes so many numbered events, one after the other. */
async function run({ writer, sent }, count) {
  for (let index = 0; index < count; index += 1) {
    const event = `data: {"sequence": ${sent.length}, "content": "${'x'.repeat(380)}"}`;
    sent.push(event);
    writer.write(`${event}\n\n`);
    await delay(PAUSE_MS);
  }
}

/** The client leaves: how long until the origin sees it (ms). */
async function leave({ response, writer }) {
  const begun = Date.now();
  response.socket.resetAndDestroy();
  await until(() => writer.closed, 'the origin sees that a client left', 20_000);
  return Date.now() - begun;
}

/** What workerd holds in memory (KiB). */
function residentKiB() {
  const of = (id) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
  return workerds().reduce((sum, id) => sum + of(id), 0);
}
