//! Charts as SVG text, readable on light and dark pages.

const COLOURS = ['#d9480f', '#868e96', '#1c7ed6', '#2f9e44', '#9c36b5', '#e8a90c', '#0c8599'];
const FONT = 'font-family="system-ui, sans-serif" fill="#868e96"';
const escaped = (text) => String(text).replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one]);
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
      parts.push(`<rect x="${left}" y="${y}" width="${long}" height="${thick - 2}" fill="${COLOURS[names.indexOf(name)]}"/>`);
      parts.push(label(left + Number(long) + 4, y + 9, value.toFixed(2), 'font-size="10"'));
      y += thick;
    }
    y += 10;
  }
  return svg(width, y, parts);
}

/** Lines over a logarithmic axis, side by side; `panels: [{ title, unit, points: [[x, y]] }]`. */
export function lines({ title, panels }) {
  const [wide, high, gap] = [240, 150, 60];
  const columns = 2;
  const parts = [label(10, 18, title, 'font-size="15" font-weight="600"')];
  panels.forEach((panel, at) => {
    const x = 60 + (at % columns) * (wide + gap + 40);
    const y = 60 + Math.floor(at / columns) * (high + 80);
    parts.push(...drawn(panel, x, y, wide, high));
  });
  return svg(60 + columns * (wide + gap + 40), 60 + Math.ceil(panels.length / columns) * (high + 80), parts);
}

function drawn({ title, unit, points }, x, y, wide, high) {
  const logs = points.map(([at]) => Math.log(at));
  const [first, last] = [Math.min(...logs), Math.max(...logs)];
  const most = Math.max(...points.map(([, value]) => value)) * 1.15;
  const across = (at) => x + ((Math.log(at) - first) / (last - first || 1)) * wide;
  const up = (value) => y + high - (value / most) * high;
  const path = points.map(([at, value]) => `${across(at).toFixed(1)},${up(value).toFixed(1)}`).join(' ');
  return [
    label(x, y - 8, `${title} (${unit})`),
    `<path d="M${x} ${y}V${y + high}H${x + wide}" fill="none" stroke="#868e96"/>`,
    `<polyline points="${path}" fill="none" stroke="${COLOURS[0]}" stroke-width="2"/>`,
    ...points.flatMap(([at, value]) => [
      `<circle cx="${across(at).toFixed(1)}" cy="${up(value).toFixed(1)}" r="3" fill="${COLOURS[0]}"/>`,
      label(across(at), up(value) - 8, shortened(value), 'font-size="10" text-anchor="middle"'),
      label(across(at), y + high + 15, at.toLocaleString('en'), 'font-size="10" text-anchor="middle"'),
    ]),
  ];
}

const shortened = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
