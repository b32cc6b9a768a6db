//! The JavaScript side of `fields.rs`: fields as one text, a line each, for each crossing into Wasm costs more than a
//! field. There is no colon in a name, and no line break in a value.

/** The fields of a `Headers`. */
export function lines(headers) {
  let text = '';
  headers.forEach((value, name) => {
    text += `${name}:${value}\n`;
  });
  return text;
}

/** Country, autonomous system, data centre and protocol of a request, a line each, empty where they are not known. */
export function connection({ cf }) {
  return [cf?.country, cf?.asn, cf?.colo, cf?.httpProtocol].join('\n');
}

/** Adds fields to a `Headers`. */
export function append(headers, text) {
  for (const line of text.split('\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
}
