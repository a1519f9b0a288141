import { describe, expect, it } from 'vitest';
import { drawMap } from '../../src/cli/demo/map.js';
import { krigingParameters, readMeuse } from '../../src/cli/demo/meuse.js';
import { drawEstimates } from '../../src/cli/demo/meuse-map.js';
import { viridis } from '../../src/cli/demo/viridis.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';

const legend = { title: 'Depth', unit: 'm' };

describe('the map of the estimates', () => {
  it('has one square for each of the 3,103 points and a circle for each of the 155 samples', async () => {
    const meuse = await readMeuse();
    const values = meuse.grid.map((_, i) => 5 + (i % 100) / 50);
    const summary = {
      points: 3103,
      estimated: 3103,
      filtered_out: 0,
      min: 5,
      mean: 6,
      max: 6.98,
      mean_variance: 0.2,
      seconds: 1,
    };
    const svg = drawEstimates(meuse, { target: { values }, summary });
    refuseIllFormed(svg);
    expect(group(svg, 'cells').match(/<rect /g)).toHaveLength(3103);
    expect(group(svg, 'samples').match(/<circle /g)).toHaveLength(155);
    const places = group(svg, 'cells').match(/x="[^"]+" y="[^"]+"/g);
    expect(new Set(places).size).toBe(3103);
    expect(svg).toContain('from 5.0000 to 6.9800, with a mean of 6.0000.</desc>');
  });

  it('lays the cells on whole steps, north up', () => {
    const cells = [
      { x: 20, y: 20, value: 1 },
      { x: 60, y: 20, value: 2 },
      { x: 20, y: 60, value: 3 },
    ];
    const svg = drawMap({
      title: 't',
      subtitle: 's',
      description: 'd',
      cells,
      cellSize: 40,
      samples: [],
      legend,
    });
    expect(group(svg, 'cells').trim().split('\n')).toEqual([
      `<rect x="2" y="3" width="1" height="1" fill="${viridis(0)}"/>`,
      `<rect x="3" y="3" width="1" height="1" fill="${viridis(0.5)}"/>`,
      `<rect x="2" y="2" width="1" height="1" fill="${viridis(1)}"/>`,
    ]);
  });

  it('shows a place without an estimate as such, and says how many there are', () => {
    const cells = [
      { x: 0, y: 0, value: 1 },
      { x: 40, y: 0, value: null },
    ];
    const svg = drawMap({
      title: 't',
      subtitle: 's',
      description: 'd',
      cells,
      cellSize: 40,
      samples: [],
      legend,
    });
    refuseIllFormed(svg);
    expect(group(svg, 'cells')).toContain('fill="#d8d8d8"');
    expect(svg).toContain('No estimate (1)');
  });

  it('survives words with markup in them, and estimates that are all the same', () => {
    const words = 'a < b & "c" > d';
    const svg = drawMap({
      title: words,
      subtitle: words,
      description: words,
      cells: [{ x: 0, y: 0, value: 3 }],
      cellSize: 40,
      samples: [],
      legend: { title: words, unit: words },
    });
    refuseIllFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('the request of the demo', () => {
  it('is what the task takes', async () => {
    const parameters = krigingParameters(await readMeuse());
    expect(kriging.parameters.safeParse(parameters).error).toBeUndefined();
  });
});

/** The content of the group with this id, which holds no group itself. */
function group(svg: string, id: string): string {
  const found = new RegExp(`<g id="${id}"[^>]*>([^]*?)</g>`).exec(svg);
  if (found === null) throw new Error(`There is no group ${id}.`);
  return found[1]!;
}

/** Throws unless every tag is closed in its order, and every sign of markup in text is escaped. */
function refuseIllFormed(xml: string): void {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml [^?]*\?>\n/, '');
  const tag = /<(\/?)([A-Za-z]+)((?: [A-Za-z0-9:-]+="[^"<]*")*)(\/?)>/g;
  for (const text of body.split(tag).filter((_, i) => i % 5 === 0)) {
    expect(text).not.toMatch(/[<>]|&(?!#\d+;)/);
  }
  for (const [, closing, name, , empty] of body.matchAll(tag)) {
    if (closing === '/') expect(open.pop()).toBe(name);
    else if (empty !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
}
