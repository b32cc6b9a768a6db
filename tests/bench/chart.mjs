//! Charts as SVG text, readable on light and dark pages.

const COLOURS = ['#d9480f', '#868e96', '#1c7ed6', '#2f9e44', '#9c36b5', '#e8a90c', '#0c8599'];
const FONT = 'font-family="system-ui, sans-serif" fill="#868e96"';
const escaped = (text) =>
  String(text).replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one]);
const label = (x, y, text, more = '') => `<text x="${x}" y="${y}" ${FONT} ${more}>${escaped(text)}</text>`;

function svg(width, height, parts) {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-size="12">\n${parts.join('\n')}\n</svg>\n`;
}

const legend = (names, y) =>
  names.map((name, at) => {
    const x = 10 + (at % 4) * 190;
    const top = y + Math.floor(at / 4) * 18;
    return `<rect x="${x}" y="${top - 9}" width="10" height="10" fill="${COLOURS[at]}"/>${label(x + 15, top, name)}`;
  });

/** Groups of horizontal bars, one of each name; `groups: [{ title, bars: [{ name, value }] }]`. */
export function bars({ title, groups, names }) {
  const width = 780;
  const [left, thick, top] = [250, 12, 40 + 18 * Math.ceil(names.length / 4)];
  const most = Math.max(...groups.flatMap((group) => group.bars.map(({ value }) => value)));
  const scale = (width - left - 60) / most;
  const parts = [label(10, 18, title, 'font-size="15" font-weight="600"'), ...legend(names, 40)];
  let y = top;
  for (const group of groups) {
    parts.push(label(left - 8, y + (group.bars.length * thick) / 2 + 4, group.title, 'text-anchor="end"'));
    for (const { name, value } of group.bars) {
      const long = Math.max(1, value * scale).toFixed(1);
      parts.push(
        `<rect x="${left}" y="${y}" width="${long}" height="${thick - 2}" fill="${COLOURS[names.indexOf(name)]}"/>`,
      );
      parts.push(label(left + Number(long) + 4, y + 9, value.toFixed(2), 'font-size="10"'));
      y += thick;
    }
    y += 10;
  }
  return svg(width, y, parts);
}

/** Lines over logarithmic axes, panel by panel; `panels: [{ title, unit, series: [{ name, points: [[x, y]] }] }]`. */
export function lines({ title, panels }) {
  const [wide, high] = [300, 150];
  const parts = [label(10, 18, title, 'font-size="15" font-weight="600"')];
  panels.forEach((panel, at) => {
    const [x, y] = [30 + (at % 2) * (wide + 80), 70 + Math.floor(at / 2) * (high + 90)];
    parts.push(...panelOf(panel, { x, y, wide, high }));
  });
  return svg(60 + 2 * (wide + 60), 70 + Math.ceil(panels.length / 2) * (high + 90) - 30, parts);
}

function panelOf({ title, unit, series }, { x, y, wide, high }) {
  const points = series.flatMap((one) => one.points);
  const most = Math.max(...points.map(([, value]) => value)) * 1.15;
  const [first, last] = [Math.min, Math.max].map((pick) => Math.log(pick(...points.map(([size]) => size))));
  const across = (size) => (x + ((Math.log(size) - first) / (last - first || 1)) * wide).toFixed(1);
  const up = (value) => (y + high - (value / most) * high).toFixed(1);
  return [
    label(x, y - 24, `${title} (${unit})`, 'font-weight="600"'),
    ...series.flatMap(({ name }, at) => swatch(x + at * 120, y - 8, name, COLOURS[at])),
    `<path d="M${x} ${y}V${y + high}H${x + wide}" fill="none" stroke="#868e96"/>`,
    ...series.flatMap((one, at) => lineOf(one.points, COLOURS[at], { across, up }, at === 0)),
    ...series[0].points.map(([size]) => label(across(size), y + high + 15, size.toLocaleString('en'), SMALL)),
  ];
}

const SMALL = 'font-size="10" text-anchor="middle"';
const swatch = (x, y, name, colour) => [
  `<rect x="${x}" y="${y - 8}" width="8" height="8" fill="${colour}"/>`,
  label(x + 12, y, name, 'font-size="10"'),
];

/** Every value of the first line is written above it, of the others only the last, below. */
function lineOf(points, colour, { across, up }, isFirst) {
  const path = points.map(([size, value]) => `${across(size)},${up(value)}`).join(' ');
  const told = isFirst ? points : points.slice(-1);
  const beside = isFirst ? -7 : 15;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(([size, value]) => `<circle cx="${across(size)}" cy="${up(value)}" r="3" fill="${colour}"/>`),
    ...told.map(([size, value]) => label(across(size), Number(up(value)) + beside, value.toFixed(0), SMALL)),
  ];
}
