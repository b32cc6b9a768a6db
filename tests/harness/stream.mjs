//! The event stream of an agent run, in the app's raw form: JSON with spaces after the colons (the frontend
//! matches the text), no ids, no heartbeat, silent gaps.
//!
//! Query: `frames` (before the last one; `endless` never ends), `gap` in ms before each, `style`: `plain` as
//! the app writes; `odd` what else an event stream may hold and a careless proxy would repair.
import { setTimeout as delay } from 'node:timers/promises';

const DONE = Buffer.from('data: {"type": "status", "status": "completed"}\n\n');

const ODD = [
  Buffer.from('\uFEFF: a comment first\n\n'),
  Buffer.from('data:no space\r\ndata:  two spaces\r\n\r\n'),
  Buffer.from('event: x\rdata: lone returns\r\r'),
  // One character in two writes: the halves are not text by themselves.
  Buffer.from('data: {"content": "caf\u00e9').subarray(0, -1),
  Buffer.from([0xa9, ...Buffer.from('"}\n\n')]),
  Buffer.from('data\n\n: \n\nretry: 3000\n\nunknown: field\n\n'),
];

/** The writes of one run, in order; a test compares what it got with their concatenation. */
export function runFrames(frames, style = 'plain') {
  const plain = Array.from({ length: frames }, (_, index) => frame(index));
  return [...plain, ...(style === 'odd' ? ODD : []), DONE];
}

function frame(index) {
  const text = JSON.stringify({ role: 'assistant', content: `token ${index}` });
  return Buffer.from(
    `data: {"type": "assistant", "sequence": ${index}, "content": ${JSON.stringify(text)}}\n\n`,
  );
}

export async function streamRun({ response, query }) {
  response.writeHead(200, {
    Server: 'uvicorn',
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    Connection: 'keep-alive',
    'X-Accel-Buffering': 'no',
    'Access-Control-Allow-Origin': '*',
  });
  response.flushHeaders();
  const gap = Number(query.get('gap') ?? 200);
  for (const bytes of writes(query)) {
    await delay(gap);
    if (response.closed) return;
    response.write(bytes);
  }
  response.end();
}

function writes(query) {
  if (query.get('frames') === 'endless') return endless();
  return runFrames(Number(query.get('frames') ?? 3), query.get('style') ?? 'plain');
}

function* endless() {
  for (let index = 0; ; index += 1) yield frame(index);
}
