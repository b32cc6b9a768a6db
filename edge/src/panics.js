//! The JavaScript side of `panics.rs`. This module outlives an instance of the Wasm: what the last one died of is kept
//! here for the next.

let last;

/** Remembers what an instance dies of. */
export function keep(message) {
  last = message;
}

/** What the last one died of, if nobody has asked yet. */
export function take() {
  const message = last;
  last = undefined;
  return message;
}
