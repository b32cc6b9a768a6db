//! Ways to write a token wrong: JSON that two readers understand differently, base64url that is none, parts
//! too many or too few, texts too long or too deep.

const SPACE = [' ', '\t', '%20', '=', '==', '\u00a0'];

const insert = (text, at, what) => text.slice(0, at) + what + text.slice(at);
const part = (random) => random.pick(['header', 'payload']);

/** Changes the JSON text of one part before it is encoded and signed. */
const retext = (draft, random, change, which = part(random)) => {
  const before = draft.text[which];
  draft.text[which] = (value) => change(before(value));
};

const NOT_UTF8 = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3], [0x80]];
const json = [
  (draft, random) => retext(draft, random, (text) => `\ufeff${text}`),
  (draft, random) =>
    retext(draft, random, (text) => random.pick([' ', '\n', '\t', '\r\n']) + text + random.pick(['', ' \n'])),
  (draft, random) =>
    retext(draft, random, (text) => text + random.pick(['{}', ',', '\u0000', 'x', '}', '//'])),
  (draft, random) => retext(draft, random, (text) => text.slice(0, -1 - random.int(3))),
  (draft, random) =>
    retext(draft, random, (text) => text.replace('}', random.pick([',}', ',"x":}', ',"x":NaN}', ',x:1}']))),
  (draft, random) => retext(draft, random, (text) => text.replaceAll('"', "'")),
  (draft, random) =>
    retext(draft, random, (text) =>
      text.replace('{', `{"x":${random.pick(['1e400', '[-1e400]', '1e308', '-0', '1E5'])},`),
    ),
  (draft, random) =>
    retext(draft, random, (text) =>
      random.pick([`[${text}]`, JSON.stringify(text), 'null', '1', '""', '{}', '']),
    ),
  (draft, random) => retext(draft, random, (text) => text.replace('{', '{/* */')),
  // Escapes, in names and values, mean the same text; half of a surrogate pair means none.
  (draft, random) =>
    retext(draft, random, (text) =>
      text.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
    ),
  (draft, random) =>
    retext(draft, random, (text) =>
      text.replace(
        '{',
        `{"x":"${random.pick(['\\ud800', '\\udc00\\ud800', '\\ud83d\\ude00', '\\x41', '\\'])}",`,
      ),
    ),
  (draft, random) => {
    const member = Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.from(random.pick(NOT_UTF8)),
      Buffer.from('",'),
    ]);
    const which = part(random);
    const before = draft.encode[which];
    draft.encode[which] = (text) => before(Buffer.concat([member, Buffer.from(text).subarray(1)]));
  },
];

const duplicates = [
  (draft, random) => {
    const which = part(random);
    const members = Object.entries(which === 'header' ? draft.header : draft.claims);
    const [name, value] = random.pick(members);
    const other = random.pick([value, value, null, 'x', 0, 'none', 'HS256', 'attacker']);
    const written = random.chance(3)
      ? name.replace(/^./, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
      : name;
    const member = `"${written}":${JSON.stringify(other)}`;
    const change = random.chance(2)
      ? (text) => insert(text, 1, `${member},`)
      : (text) => insert(text, text.length - 1, `,${member}`);
    retext(draft, random, change, which);
  },
  // Twice within a member: nothing is read there, and the last one counts for both.
  (draft, random) =>
    retext(draft, random, (text) => insert(text, 1, '"inner":{"sub":"a","sub":"b"},'), 'payload'),
];

const NESTS = [
  (levels) => '['.repeat(levels) + ']'.repeat(levels),
  (levels) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels),
];
const sizes = [
  (draft, random) => {
    const levels = random.pick([2, 100, 120, 126, 127, 128, 129, 200, 1000]);
    const nest = random.pick(NESTS)(levels);
    retext(draft, random, (text) => insert(text, 1, `"deep":${nest},`));
  },
  (draft, random) => {
    draft.claims.bio = 'x'.repeat(random.pick([1_000, 5_000, 5_500, 5_600, 5_700, 6_000, 8_000, 20_000]));
  },
  // To the byte: four characters of base64url for three bytes.
  (draft, random, world) => {
    const length =
      Buffer.byteLength(JSON.stringify(draft.claims)) + Buffer.byteLength(JSON.stringify(draft.header));
    const rest = world.maxTokenBytes - 2 - draft.signature('x.x').length * (4 / 3) - length * (4 / 3);
    draft.claims.bio = 'x'.repeat(Math.max(0, Math.floor((rest * 3) / 4) - 9 + random.int(6) - 3));
  },
  (draft, random) => {
    const many = Array.from({ length: random.pick([50, 300]) }, (_, index) => [`m${index}`, index]);
    Object.assign(random.chance(2) ? draft.header : draft.claims, Object.fromEntries(many));
  },
];

/** The last character of base64url holds bits that stand for nothing; set, they spell the same bytes. */
function otherSpelling(text, random) {
  const spare = { 2: 16, 3: 4 }[text.length % 4];
  if (spare === undefined) return text;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const value = alphabet.indexOf(text.at(-1));
  return text.slice(0, -1) + alphabet[value | (1 + random.int(spare - 1))];
}

const ENCODINGS = [
  (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '='),
  (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
  (text, random) => insert(text, random.int(text.length + 1), random.pick(SPACE)),
  otherSpelling,
  (text) => text.slice(0, -1),
  (text) => `${text}A`,
  (text, random) =>
    insert(text, random.int(text.length + 1), random.pick(['!', '~', '*', ',', ';', '%41', '"'])),
  () => '',
];
const encodings = [
  // Before signing, so that the signature is good for the odd text.
  (draft, random) => {
    const [which, change] = [part(random), random.pick(ENCODINGS)];
    const before = draft.encode[which];
    draft.encode[which] = (bytes) => change(before(bytes), random);
  },
  (draft, random) => {
    const [which, change] = [random.pick(['header', 'payload', 'signature']), random.pick(ENCODINGS)];
    draft.after.push((parts) => ({ ...parts, [which]: change(parts[which], random) }));
  },
];

const TOKENS = [
  (token) => `${token}.`,
  (token) => `.${token}`,
  (token) => `${token}.e30`,
  (token) => `${token}..`,
  (token) => token.replace('.', '..'),
  (token) => token.replaceAll('.', ''),
  (token) => token.split('.').slice(0, 2).join('.'),
  (token) => `${token.split('.').slice(0, 2).join('.')}.`,
  (token) => token.split('.')[1] ?? '',
  (token) => token.split('.').reverse().join('.'),
  (token) => `..${token.split('.')[2] ?? ''}`,
  (token) => `${token}.${token}`,
  (token) => `${token}, ${token}`,
  (token) => `"${token}"`,
  (token) => `Bearer ${token}`,
  (token) => `sb_${token}`,
  (token) => token.toLowerCase(),
  () => '...',
  () => 'null',
];
const BYTES = [
  (token, at, byte) => token.slice(0, at) + byte + token.slice(at + 1),
  (token, at, byte) => insert(token, at, byte),
  (token, at) => token.slice(0, at) + token.slice(at + 1),
  (token, at) => token.slice(0, at) + (token[at + 1] ?? '') + (token[at] ?? '') + token.slice(at + 2),
  (token, at) => token.slice(0, at),
  (token, at) => insert(token, at, token.slice(at, at + 4)),
];
const parts = [
  (draft, random) => {
    const change = random.pick(TOKENS);
    const before = draft.finish;
    draft.finish = (token) => change(before(token));
  },
];
const bytes = [
  (draft, random) => {
    const before = draft.finish;
    draft.finish = (token) => {
      const text = before(token);
      return random.pick(BYTES)(
        text,
        random.int(text.length + 1),
        String.fromCharCode(0x21 + random.int(94)),
      );
    };
  },
];

export const TEXT_MUTATIONS = { json, duplicates, sizes, encodings, parts, bytes };
