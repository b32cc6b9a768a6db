//! Every secret that a test process uses, and the search for them in what the gateway emits by itself: log
//! lines, its own answers, the fields it adds to others', its requests to the issuer, the keys of what it
//! stores.
//!
//! Found is any part of 31 characters or more, and most of 16 or more. What is shorter than 16 characters is
//! no secret here: it could stand anywhere by chance.

const WINDOW = 16;
/** Part of a UUID: what a secret says of users and sessions, who are named in logs. */
const PUBLIC = /^(?=.*-)[0-9a-f-]+$/;

/** Secrets, what was emitted since the last look, and where the one stands in the other. */
export class Secrets {
  #windows = new Map(); // a part of a secret -> the secret's name
  #emitted = [];

  /** Remembers a secret under a name that a failure may show. */
  keep(name, value) {
    const windows = value.match(new RegExp(`.{${WINDOW}}`, 'gs')) ?? [];
    for (const window of [...windows, value.slice(-WINDOW)])
      if (window.length === WINDOW && !PUBLIC.test(window)) this.#windows.set(window, name);
    return value;
  }

  /** Remembers what the gateway emitted, and where. */
  emitted(where, text) {
    this.#emitted.push({ where, text });
  }

  /** Which secrets stand where in what was emitted since the last call, without their values. */
  leaks() {
    const found = new Set();
    for (const { where, text } of this.#emitted.splice(0))
      for (const name of this.#namesIn(text)) found.add(`${name} in ${where}`);
    return [...found];
  }

  *#namesIn(text) {
    for (let at = 0; at + WINDOW <= text.length; at += 1) {
      const name = this.#windows.get(text.slice(at, at + WINDOW));
      if (name) yield name;
    }
  }
}

/** Those of this test process. */
export const secrets = new Secrets();

/** Request fields that hold a credential, and the secret part of their value. */
const FIELDS = {
  authorization: (value) => [value.slice(value.indexOf(' ') + 1)],
  cookie: (value) => value.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1)),
  'x-admin-api-key': (value) => [value],
  'x-api-key': (value) => [value],
  'x-mcp-headers': (value) => [value],
  'x-refresh-token': (value) => [value],
  'x-trigger-secret': (value) => [value],
};

/** Remembers the secrets that a request carries, in its fields and its query. */
export function keepSent(headers, path) {
  for (const [field, value] of Object.entries(headers)) {
    const parts = FIELDS[field.toLowerCase()] ?? (() => []);
    for (const one of [value].flat()) for (const part of parts(String(one))) secrets.keep(field, part);
  }
  const query = new URLSearchParams(path.split('?')[1]);
  for (const token of query.getAll('token')) secrets.keep('?token=', token);
}
