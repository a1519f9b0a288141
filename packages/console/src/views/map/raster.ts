import { shadeOf } from './colour-ramp.js';
import type { Grid } from './map-model.js';

/** Canvases of browsers have at least so many pixels along a side. */
const MAX_SIDE = 8_192;

/**
 * One level of a grid as an image, a pixel for a cell; north is up. A grid with more cells along a side than
 * an image may have is thinned.
 * @param shades as {@link shadesOf} gives them
 */
export function rasterOf(
  grid: Grid,
  values: Float64Array,
  level: number,
  range: readonly [number, number],
  shades: Uint32Array,
): HTMLCanvasElement {
  const [columns = 1, rows = 1] = grid.size;
  const step = Math.max(1, Math.ceil(Math.max(columns, rows) / MAX_SIDE));
  const width = Math.ceil(columns / step);
  const height = Math.ceil(rows / step);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const from = level * columns * rows;
  for (let j = 0; j < height; j += 1) {
    const line = (height - 1 - j) * width;
    const first = from + j * step * columns;
    for (let i = 0; i < width; i += 1) {
      const cell = first + i * step;
      const index = grid.order === undefined ? cell : (grid.order[cell] as number);
      const shade = index < 0 ? -1 : shadeOf(values[index] as number, range);
      if (shade >= 0) pixels[line + i] = shades[shade] as number;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
