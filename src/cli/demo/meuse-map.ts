import { drawMap } from './map.js';
import type { ResultsOf } from 'headframe-client';
import { CELL_SIZE, type Meuse } from './meuse.js';
import { count, fixed } from './report.js';

type Results = ResultsOf<'geostatistics/kriging'>;

/** The map of the estimates as an SVG document. */
export function drawEstimates(
  { samples, grid }: Meuse,
  {
    target,
    summary,
  }: { readonly target: Pick<Results['target'], 'values'>; readonly summary: Results['summary'] },
): string {
  const { min, mean, max } = summary;
  return drawMap({
    title: 'Zinc in the topsoil of the Meuse flood plain',
    subtitle: `Ordinary kriging of log zinc: ${count(samples.length)} samples, ${count(grid.length)} cells of ${CELL_SIZE} m`,
    description:
      `Map of ${count(grid.length)} square cells of ${CELL_SIZE} m along a bend of the river Meuse. The estimated ` +
      `natural logarithm of zinc (mg/kg) runs from ${fixed(min)} to ${fixed(max)}, with a mean of ${fixed(mean)}.`,
    cells: grid.map(({ x, y }, i) => ({ x, y, value: target.values[i] ?? null })),
    cellSize: CELL_SIZE,
    samples,
    legend: {
      title: 'Estimated zinc',
      unit: 'ln(mg/kg)',
      second: { unit: 'mg/kg', at: Math.log, labels: [100, 200, 300, 500, 1000, 2000] },
    },
  });
}
