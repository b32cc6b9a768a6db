//! Choices that look random and are the same for the same seed.

export function seeded(seed) {
  let state = seed >>> 0;
  /** Mulberry32: 32 well mixed bits per step. */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  const int = (below) => next() % below;
  const bytes = (length) => Buffer.from(Array.from({ length }, () => int(256)));
  return {
    /** A number from 0 up to, not including, `below`. */
    int,
    pick: (list) => list[int(list.length)],
    /** True once in `one_in` times. */
    chance: (oneIn) => int(oneIn) === 0,
    bytes,
    uuid: () =>
      bytes(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  };
}
