// What is measured: samples, targets and parameters, made from seeds, the same in every run.
import { readFileSync } from 'node:fs';

/** Numbers from 0 to 1 that look random (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const MODEL = { nugget: 0.05066, contribution: 0.59061, range: 896.97 };
const NEIGHBORS = 20;
/** Mean distance of made samples, as of those of Meuse. */
const SPACING = 200;

const ball = (radius) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
const neighborhood = { ellipsoid: ball(1e6), max_samples: NEIGHBORS };
const variogram = {
  nugget: MODEL.nugget,
  structures: [
    {
      variogram_type: 'spherical',
      contribution: MODEL.contribution,
      anisotropy: ball(MODEL.range),
    },
  ],
};

/** The 155 samples of the Meuse, with the logarithm of zinc. */
function meuse() {
  const text = readFileSync(new URL('../../examples/meuse/samples.csv', import.meta.url), 'utf8');
  const [header, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.replaceAll('"', '').split(','));
  const column = (name) => rows.map((row) => Number(row[header.indexOf(name)]));
  const [x, y, zinc] = [column('x'), column('y'), column('zinc')];
  return { coordinates: x.map((_, i) => [x[i], y[i]]), values: zinc.map(Math.log) };
}

function made(count, dimension) {
  const next = random(count + dimension);
  const side = SPACING * count ** (1 / dimension);
  const coordinates = Array.from({ length: count }, () =>
    Array.from({ length: dimension }, () => side * next()),
  );
  const values = coordinates.map(
    (place) => place.reduce((sum, axis) => sum + Math.sin(axis / 400), 0) + 0.3 * next(),
  );
  return { coordinates, values };
}

/** @param {155 | 20000} count @param {2 | 3} dimension */
export function samplesOf(count, dimension) {
  return count === 155 && dimension === 2 ? meuse() : made(count, dimension);
}

/** The box around places: its corner and its sides. */
function boxOf({ coordinates }) {
  const axes = coordinates[0].map((_, axis) => coordinates.map((place) => place[axis]));
  const origin = axes.map((axis) => Math.min(...axis));
  return { origin, sides: axes.map((axis, i) => Math.max(...axis) - origin[i]) };
}

/** Points anywhere among the samples, none near the one before. */
function scattered(source, count) {
  const { origin, sides } = boxOf(source);
  const next = random(7);
  return {
    coordinates: Array.from({ length: count }, () =>
      origin.map((from, axis) => from + sides[axis] * next()),
    ),
  };
}

/** A regular grid of about so many cells over the area of 155 samples. */
function dense(source, count) {
  const { origin, sides } = boxOf(source);
  const dimension = origin.length;
  const side = Math.round(count ** (1 / dimension));
  const part = Math.min(1, (155 / source.values.length) ** (1 / dimension));
  return {
    grid: {
      origin: origin.map((from, axis) => from + (sides[axis] * (1 - part)) / 2),
      spacing: sides.map((all) => (all * part) / side),
      size: origin.map(() => side),
    },
  };
}

/** Every fifth cell or so, anywhere, of a grid over all samples. */
function scatteredCells(source, count) {
  const { origin, sides } = boxOf(source);
  const dimension = origin.length;
  const side = Math.round((5 * count) ** (1 / dimension));
  const cells = side ** dimension;
  const next = random(11);
  const attribute = Array.from({ length: cells }, () => (next() < count / cells ? 1 : 0));
  return {
    grid: {
      origin,
      spacing: sides.map((all) => all / side),
      size: origin.map(() => side),
    },
    attributes: { asked: attribute },
    filter: {
      where: { type: 'condition', attribute: 'asked', operator: 'equal', threshold: 1 },
    },
  };
}

const DISCRETISATION = { 2: { nx: 4, ny: 4, nz: 1 }, 3: { nx: 3, ny: 3, nz: 3 } };

/** A million blocks over the Meuse. */
export function million() {
  const source = samplesOf(155, 2);
  return {
    source,
    variogram,
    neighborhood,
    target: dense(source, 1_000_000),
    block_discretisation: DISCRETISATION[2],
  };
}

/**
 * The places of a target, as gstat takes them.
 * @returns {number[][]}
 */
export function placesOf({ coordinates, grid, attributes }) {
  if (coordinates) return coordinates;
  const [columns, rows, layers = 1] = grid.size;
  const places = [];
  for (let k = 0, index = 0; k < layers; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, index++) {
        if (attributes && attributes.asked[index] !== 1) continue;
        places.push(
          [i, j, k]
            .slice(0, grid.size.length)
            .map((at, axis) => grid.origin[axis] + (at + 0.5) * grid.spacing[axis]),
        );
      }
    }
  }
  return places;
}

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {'kriging' | 'idw' | 'variogram'} task
 * @property {object} parameters of the task
 * @property {string} call what gstat is asked
 * @property {number | undefined} goal least ratio to gstat, if there is one
 */

/** @param {number} points of a scattered case @returns {Generator<Case>} */
export function* casesOf(points) {
  const { nugget, contribution, range } = MODEL;
  const model = `${nugget}, ${contribution}, ${range}, ${NEIGHBORS}`;
  for (const dimension of [2, 3]) {
    for (const count of [155, 20_000]) {
      const source = samplesOf(count, dimension);
      const what = `${count.toLocaleString('en')} samples, ${dimension}-D`;
      const common = { source, variogram, neighborhood };
      const discretisation = DISCRETISATION[dimension];
      const block = ({ grid }) =>
        `blocks(${model}, ${Object.values(discretisation)
          .slice(0, dimension)
          .map((parts, axis) => `c(${parts}, ${grid.spacing[axis]})`)
          .join(', ')})`;
      const target = {
        scattered: scattered(source, points),
        dense: dense(source, 2.5 * points),
        cells: scatteredCells(source, points / 2),
        denseBlocks: dense(source, points),
      };
      yield {
        name: `scattered points, ${what}`,
        task: 'kriging',
        parameters: { ...common, target: target.scattered },
        call: `kriged(${model})`,
        goal: 1.2,
      };
      yield {
        name: `dense grid of points, ${what}`,
        task: 'kriging',
        parameters: { ...common, target: target.dense },
        call: `kriged(${model})`,
        goal: 3,
      };
      yield {
        name: `scattered blocks, ${what}`,
        task: 'kriging',
        parameters: {
          ...common,
          target: target.cells,
          block_discretisation: discretisation,
        },
        call: block(target.cells),
        goal: 1.2,
      };
      yield {
        name: `dense grid of blocks, ${what}`,
        task: 'kriging',
        parameters: {
          ...common,
          target: target.denseBlocks,
          block_discretisation: discretisation,
        },
        call: block(target.denseBlocks),
        goal: 3,
      };
      yield {
        name: `inverse distances, ${what}`,
        task: 'idw',
        parameters: { source, target: target.scattered, neighborhood, power: 2 },
        call: `weighted(2, ${NEIGHBORS})`,
        goal: 1,
      };
    }
  }
  const source = samplesOf(20_000, 2);
  yield {
    name: 'variogram of all pairs, 20,000 samples, 2-D',
    task: 'variogram',
    parameters: { source, lag: 1000, cutoff: 40_000 },
    call: 'compared(1000, 40000)',
    goal: 1,
  };
}
