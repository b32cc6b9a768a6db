//! The JavaScript side of `rim.rs`. A crossing into Wasm costs more than a field, and what the runtime copies by itself
//! costs less than either: so heads go in as one text, and out come the edits to a copy (`edge_core::fields`).

/**
 * A request: its method, its URL, whether it has content; country, autonomous system, data centre and protocol of its
 * connection, empty where they are not known; and its fields, a line each.
 */
export function requestHead(request) {
  const { method, url, body, cf, headers } = request;
  const connection = `${cf?.country ?? ''}\n${cf?.asn ?? ''}\n${cf?.colo ?? ''}\n${cf?.httpProtocol ?? ''}`;
  return `${method}\n${url}\n${body ? 'content' : ''}\n${connection}\n${lines(headers)}`;
}

/** A request to the origin, and its answer once that has `answered`. */
class Exchange {
  constructor(url, init, stop, ms, content) {
    this.stop = stop;
    this.counted = content;
    // One promise, where `within` would make three: there is one of these for each request.
    this.answered = new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      const arrived = (response) => {
        clearTimeout(timer);
        this.response = response;
        resolve();
      };
      const failed = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      fetch(url, init).then(arrived, failed);
    });
  }

  /** The answer's status, whether it has content, and its fields, a line each; nothing where it did not come in time. */
  get head() {
    if (!this.response) return undefined;
    const { status, body, headers } = this.response;
    return `${status}\n${body ? 'content' : ''}\n${lines(headers)}`;
  }

  get content() {
    return this.response.body;
  }

  /** More content came from the client than may be sent. */
  get isTooLong() {
    return this.counted?.isOver() ?? false;
  }

  abort() {
    this.stop.abort();
  }
}

/**
 * The same content. Where it has more than `most` bytes, it breaks off, and the request with it, by `stop`: one that
 * failed of its content alone would leave the origin waiting for the rest. `isOver` then.
 */
function counted(stream, most, stop) {
  let length = 0;
  const transform = (chunk, controller) => {
    length += chunk.byteLength;
    if (length <= most) return controller.enqueue(chunk);
    stop.abort();
    throw new RangeError('too long');
  };
  return { readable: stream.pipeThrough(new TransformStream({ transform })), isOver: () => length > most };
}

/**
 * Sends a request with the fields of the one that `arrived`, edited; `head` is its method, its URL and the edits, a line
 * each. Of a stream no more than `most` bytes are sent, where that is given. Its answer is waited for `ms` milliseconds. It
 * is broken off when the client leaves, unless it `outlives` that. Where it is `encoded`, its content stays as the origin
 * encoded it (https://developers.cloudflare.com/workers/runtime-apis/request/#requestinit).
 */
export function send(arrived, head, body, most, ms, outlives, encoded) {
  const [method, url, ...edits] = head.split('\n');
  const headers = new Headers(arrived.headers);
  edit(headers, edits);
  const stop = new AbortController();
  if (!outlives) follow(arrived.signal, stop);
  const content = most !== undefined && body instanceof ReadableStream ? counted(body, most, stop) : undefined;
  const init = { method, headers, body: content?.readable ?? body, signal: stop.signal };
  // Redirects are the client's to follow: an edge that followed them would hide the origin's `Location`.
  init.redirect = 'manual';
  // Cloudflare's own cache below this one would store by file name, and nothing here could forget it.
  init.cache = 'no-store';
  if (encoded) init.encodeResponseBody = 'manual';
  return new Exchange(url, init, stop, ms, content);
}

/** What is promised, or nothing where it is not here within `ms` milliseconds. */
function within(promise, ms) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const settle = (settled) => (value) => {
      clearTimeout(timer);
      settled(value);
    };
    promise.then(settle(resolve), settle(reject));
  });
}

/** An answer that is promised. */
export class Deferred {
  constructor() {
    Object.assign(this, Promise.withResolvers());
  }
}

/**
 * Milliseconds that are waited for, unless that is given up: then it is over at once, for a promise that never settles
 * would keep what Wasm has put behind it.
 */
export class Timer {
  constructor(ms) {
    this.over = new Promise((resolve) => {
      this.end = resolve;
      this.id = setTimeout(resolve, ms);
    });
  }

  clear() {
    clearTimeout(this.id);
    this.end();
  }
}

/** What the object of this name says to a question; nothing where it says nothing within `ms` milliseconds. */
export function ask(env, binding, name, question, ms) {
  return within(answerOf(env[binding], name, question), ms);
}

async function answerOf(namespace, name, question) {
  // The object is found by its name; the address only has to be one.
  const init = { method: 'POST', body: question };
  const answer = await namespace.getByName(name).fetch('https://object/', init);
  return answer.text();
}

/** The same as `AbortSignal.any`, for a fifth of a forwarded request's CPU less. */
function follow(signal, stop) {
  if (signal.aborted) stop.abort(signal.reason);
  else signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true });
}

/**
 * A response with the fields of an exchange's answer, where there is one, edited; `head` is its status and the edits, a
 * line each. Its content is the answer's, or else `body`. Where that is `encoded`, as `Content-Encoding` says, it stays so.
 */
export function respond(exchange, head, body, encoded) {
  const [status, ...edits] = head.split('\n');
  const init = { status: Number(status), headers: exchange?.response.headers };
  if (encoded) init.encodeBody = 'manual';
  const response = new Response(exchange ? exchange.content : body, init);
  edit(response.headers, edits);
  return response;
}

/** The fields of a `Headers`, a line each. */
export function lines(headers) {
  let text = '';
  headers.forEach((value, name) => {
    text += `${name}:${value}\n`;
  });
  return text;
}

function edit(headers, edits) {
  for (const line of edits) {
    const colon = line.indexOf(':');
    const name = line.slice(1, colon);
    if (line[0] === '=') headers.set(name, line.slice(colon + 1));
    else if (line[0] === '+') headers.append(name, line.slice(colon + 1));
    else if (line[0] === '-') headers.delete(name);
  }
}
