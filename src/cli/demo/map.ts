import { viridis } from './viridis.js';

/** What a map shows; lengths and coordinates in metres. */
export interface MapContent {
  readonly title: string;
  readonly subtitle: string;
  /** One sentence for people who cannot see the map. */
  readonly description: string;
  /** Centres of square cells on one regular lattice; without an estimate the value is null. */
  readonly cells: readonly {
    readonly x: number;
    readonly y: number;
    readonly value: number | null;
  }[];
  readonly cellSize: number;
  readonly samples: readonly { readonly x: number; readonly y: number }[];
  readonly legend: {
    readonly title: string;
    readonly unit: string;
    /** A second scale beside the first, such as the values before they were transformed. */
    readonly second?: {
      readonly unit: string;
      readonly at: (label: number) => number;
      readonly labels: readonly number[];
    };
  };
}

/** Pixels: of one cell, and of the parts around the map. */
const CELL = 7;
const MARGIN = { top: 92, left: 78, bottom: 52 };
const GAP = 36;
const SIDE = 182;
const MISSING = '#d8d8d8';

interface Frame {
  readonly west: number;
  readonly north: number;
  readonly width: number;
  readonly height: number;
  /** Pixels of a metre. */
  readonly scale: number;
}

/** Draws a map as an SVG document of its own. @throws RangeError without any cell */
export function drawMap(content: MapContent): string {
  const frame = frameOf(content);
  const values = content.cells.map(({ value }) => value).filter((value) => value !== null);
  const range = values.length === 0 ? { min: 0, max: 1 } : extent(values);
  const width = MARGIN.left + frame.width + GAP + SIDE;
  const height = MARGIN.top + frame.height + MARGIN.bottom;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description" font-family="system-ui, 'Helvetica Neue', Arial, sans-serif" font-size="12" fill="#333">
<title id="title">${escape(content.title)}</title>
<desc id="description">${escape(content.description)}</desc>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${MARGIN.left}" y="42" font-size="23" font-weight="600" fill="#111">${escape(content.title)}</text>
<text x="${MARGIN.left}" y="66" font-size="13.5" fill="#555">${escape(content.subtitle)}</text>
<g transform="translate(${MARGIN.left} ${MARGIN.top})">
<rect width="${frame.width}" height="${frame.height}" fill="#f6f7f7"/>
${graticule(frame)}
${cells(content, frame, range)}
${samples(content, frame)}
<rect width="${frame.width}" height="${frame.height}" fill="none" stroke="#8a8f94"/>
</g>
<g transform="translate(${MARGIN.left + frame.width + GAP} ${MARGIN.top})">
${legend(content, range, values.length < content.cells.length)}
</g>
<g transform="translate(${MARGIN.left + frame.width + GAP} ${MARGIN.top + frame.height})">
${northArrow()}
${scaleBar(frame)}
</g>
</svg>
`;
}

/** The cells with two cells of air around them. */
function frameOf({ cells: all, cellSize }: MapContent): Frame {
  if (all.length === 0) throw new RangeError('A map needs at least one cell.');
  const x = extent(all.map((cell) => cell.x));
  const y = extent(all.map((cell) => cell.y));
  const air = 2.5 * cellSize;
  const scale = CELL / cellSize;
  return {
    west: x.min - air,
    north: y.max + air,
    width: Math.round((x.max - x.min + 2 * air) * scale),
    height: Math.round((y.max - y.min + 2 * air) * scale),
    scale,
  };
}

/** One square a cell, in lattice steps: neighbours share edges exactly, so that no seams show. */
function cells({ cells: all, cellSize }: MapContent, frame: Frame, range: Extent): string {
  const squares = all.map(({ x, y, value }) => {
    const column = round((x - frame.west) / cellSize - 0.5);
    const row = round((frame.north - y) / cellSize - 0.5);
    const fill = value === null ? MISSING : viridis(share(value, range));
    return `<rect x="${column}" y="${row}" width="1" height="1" fill="${fill}"/>`;
  });
  return `<g id="cells" transform="scale(${CELL})" shape-rendering="crispEdges">\n${squares.join('\n')}\n</g>`;
}

function samples({ samples: all }: MapContent, frame: Frame): string {
  const circles = all.map(({ x, y }) => {
    const cx = round((x - frame.west) * frame.scale);
    const cy = round((frame.north - y) * frame.scale);
    return `<circle cx="${cx}" cy="${cy}" r="2.6"/>`;
  });
  return `<g id="samples" ${SAMPLE_STYLE}>\n${circles.join('\n')}\n</g>`;
}

const SAMPLE_STYLE = 'fill="#fff" fill-opacity="0.85" stroke="#111" stroke-width="0.9"';

/** Faint lines at round coordinates, with their labels at the left and at the bottom. */
function graticule(frame: Frame): string {
  const { west, north, width, height, scale } = frame;
  const step = niceStep(Math.max(width, height) / scale, 5);
  const east = ticks({ min: west, max: west + width / scale }, step).map((x) => {
    const px = round((x - west) * scale);
    return `<path d="M${px} 0V${height}"/><text x="${px}" y="${height + 20}" text-anchor="middle" ${LABEL}>${group(x)}</text>`;
  });
  const up = ticks({ min: north - height / scale, max: north }, step).map((y) => {
    const py = round((north - y) * scale);
    return `<path d="M0 ${py}H${width}"/><text x="-10" y="${py + 4}" text-anchor="end" ${LABEL}>${group(y)}</text>`;
  });
  const axes =
    `<text x="${width / 2}" y="${height + 40}" text-anchor="middle" ${LABEL}>Easting (m)</text>` +
    `<text transform="translate(-62 ${height / 2}) rotate(-90)" text-anchor="middle" ${LABEL}>Northing (m)</text>`;
  return `<g stroke="#dfe2e4">${[...east, ...up].join('\n')}\n${axes}</g>`;
}

const LABEL = 'stroke="none" fill="#555" font-size="11.5"';

function legend(
  { legend: words, samples: shown, cells: all }: MapContent,
  range: Extent,
  gaps: boolean,
): string {
  const height = 300;
  const top = 44;
  const bar = { x: words.second === undefined ? 0 : 50, width: 24 };
  const yOf = (value: number) => round(top + height * (1 - share(value, range)));
  const stops = Array.from(
    { length: 21 },
    (_, i) => `<stop offset="${i * 5}%" stop-color="${viridis(i / 20)}"/>`,
  );
  const right = bar.x + bar.width;
  const first = ticks(range, niceStep(range.max - range.min, 6)).map(
    (value) =>
      `<path d="M${right} ${yOf(value)}h6"/><text x="${right + 11}" y="${yOf(value) + 4}" ${TICK}>${decimal(value)}</text>`,
  );
  const { second } = words;
  const other = (second?.labels ?? [])
    .map((label) => ({ label, value: second!.at(label) }))
    .filter(({ value }) => value >= range.min && value <= range.max)
    .map(
      ({ label, value }) =>
        `<path d="M${bar.x} ${yOf(value)}h-6"/><text x="${bar.x - 11}" y="${yOf(value) + 4}" text-anchor="end" ${TICK}>${group(label)}</text>`,
    );
  const secondUnit =
    second === undefined
      ? ''
      : `<text x="${bar.x - 11}" y="32" text-anchor="end" ${UNIT}>${escape(second.unit)}</text>`;
  let y = top + height + 38;
  const keys: string[] = [];
  if (shown.length > 0) {
    keys.push(
      `<circle cx="6" cy="${y - 4}" r="3.2" ${SAMPLE_STYLE}/><text x="20" y="${y}">Sample (${group(shown.length)})</text>`,
    );
    y += 24;
  }
  if (gaps) {
    const count = all.filter(({ value }) => value === null).length;
    keys.push(
      `<rect x="0" y="${y - 10}" width="12" height="12" fill="${MISSING}"/><text x="20" y="${y}">No estimate (${group(count)})</text>`,
    );
  }
  return `<linearGradient id="ramp" x1="0" y1="1" x2="0" y2="0">${stops.join('')}</linearGradient>
<text y="8" font-size="13.5" font-weight="600" fill="#111">${escape(words.title)}</text>
${secondUnit}<text x="${right + 11}" y="32" ${UNIT}>${escape(words.unit)}</text>
<rect x="${bar.x}" y="${top}" width="${bar.width}" height="${height}" fill="url(#ramp)"/>
<g stroke="#555">${[...first, ...other].join('\n')}</g>
${keys.join('\n')}`;
}

const TICK = 'stroke="none" fill="#333"';
const UNIT = 'font-size="11.5" fill="#555"';

function northArrow(): string {
  return `<g transform="translate(12 -118)"><path d="M0 0L9 30L0 23Z" fill="#111"/><path d="M0 0L-9 30L0 23Z" fill="#fff" stroke="#111" stroke-width="0.8" stroke-linejoin="round"/><text y="-8" text-anchor="middle" font-size="14" font-weight="600" fill="#111">N</text></g>`;
}

/** A bar of a round length, at most 120 pixels long, in two halves. */
function scaleBar({ scale }: Frame): string {
  const length = niceFloor(120 / scale);
  const half = round((length / 2) * scale);
  const unit = length >= 1000 ? { size: 1000, name: 'km' } : { size: 1, name: 'm' };
  const label = (metres: number, x: number, anchor: string) =>
    `<text x="${x}" y="-14" text-anchor="${anchor}" font-size="11.5">${decimal(metres / unit.size)}${metres === length ? ` ${unit.name}` : ''}</text>`;
  return `<g><rect y="-8" width="${half}" height="7" fill="#111"/><rect x="${half}" y="-8" width="${half}" height="7" fill="#fff"/><rect y="-8" width="${2 * half}" height="7" fill="none" stroke="#111" stroke-width="0.8"/>${label(0, 0, 'start')}${label(length / 2, half, 'middle')}${label(length, 2 * half, 'middle')}</g>`;
}

interface Extent {
  readonly min: number;
  readonly max: number;
}

function extent(numbers: readonly number[]): Extent {
  let min = Infinity;
  let max = -Infinity;
  for (const number of numbers) {
    if (number < min) min = number;
    if (number > max) max = number;
  }
  return { min, max };
}

/** Where a value lies in a range: 0–1, and in the middle when there is no range. */
function share(value: number, { min, max }: Extent): number {
  return max > min ? (value - min) / (max - min) : 0.5;
}

/** The step of 1, 2 or 5 times a power of ten that cuts a length into about `count` parts. */
function niceStep(length: number, count: number): number {
  const raw = length / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10) * power;
}

/** The longest of 1, 2 or 5 times a power of ten that is not above a length. */
function niceFloor(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length));
  return ([5, 2].find((factor) => factor * power <= length) ?? 1) * power;
}

function ticks({ min, max }: Extent, step: number): number[] {
  const first = Math.ceil(min / step);
  const count = Math.floor(max / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

const group = (number: number) => Math.round(number).toLocaleString('en-US');
const decimal = (number: number) => String(Number(number.toPrecision(6)));
const round = (number: number) => Number(number.toFixed(2));

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
