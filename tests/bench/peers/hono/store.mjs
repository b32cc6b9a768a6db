//! hono-rate-limiter's memory store sets a timer while the Worker starts, which the platform refuses: so a map.

const MOST = 100_000;

export class MapStore {
  #clients = new Map();
  #windowMs = 0;

  init({ windowMs }) {
    this.#windowMs = windowMs;
  }

  get(key) {
    return this.#clients.get(key);
  }

  increment(key) {
    const now = Date.now();
    let client = this.#clients.get(key);
    if (!client || client.resetTime.getTime() <= now) {
      if (this.#clients.size >= MOST) this.#clients.delete(this.#clients.keys().next().value);
      client = { totalHits: 0, resetTime: new Date(now + this.#windowMs) };
      this.#clients.set(key, client);
    }
    client.totalHits += 1;
    return client;
  }

  decrement(key) {
    const client = this.#clients.get(key);
    if (client?.totalHits > 0) client.totalHits -= 1;
  }

  resetKey(key) {
    this.#clients.delete(key);
  }
}
