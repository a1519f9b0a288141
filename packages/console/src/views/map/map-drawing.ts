import { valuesOf, widthOf } from '../../document/packed.js';
import { tickWords, ticksOver } from '../chart/ticks.js';
import { cssOf, shadeOf } from './colour-ramp.js';
import { type Camera, MARGIN, middleOfCanvas } from './map-camera.js';
import type { Layer, MapModel } from './map-model.js';

/** What is drawn on one canvas. */
export interface Drawing {
  readonly model: MapModel;
  readonly layer: Layer;
  readonly range: readonly [number, number];
  readonly shades: Uint32Array;
  /** Of a grid: one level. */
  readonly raster: HTMLCanvasElement | null;
  /** Whether samples have the colours of the layer, being of the same quantity. */
  readonly colourSamples: boolean;
  readonly showSamples: boolean;
}

/**
 * Draws a map. Coordinates are subtracted from the camera's centre before they become pixels, so that
 * six-digit eastings lose nothing.
 */
export function drawMap(canvas: HTMLCanvasElement, drawing: Drawing, camera: Camera): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.width / ratio;
  const height = canvas.height / ratio;
  const style = getComputedStyle(canvas);
  const [cx, cy] = middleOfCanvas(width, height);
  const px = (x: number) => cx + (x - camera.x) * camera.scale;
  const py = (y: number) => cy - (y - camera.y) * camera.scale;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(
    MARGIN.left,
    MARGIN.top,
    width - MARGIN.left - MARGIN.right,
    height - MARGIN.top - MARGIN.bottom,
  );
  context.fillStyle = style.getPropertyValue('--sunken');
  context.fill();
  context.clip();
  const { shape } = drawing.model;
  if (shape.kind === 'grid' && drawing.raster !== null) {
    const [x = 0, y = 0] = shape.origin;
    const wide = (shape.size[0] ?? 0) * (shape.spacing[0] ?? 0) * camera.scale;
    const high = (shape.size[1] ?? 0) * (shape.spacing[1] ?? 0) * camera.scale;
    // Cells have edges, when they are large enough to be seen.
    context.imageSmoothingEnabled = wide < drawing.raster.width;
    context.drawImage(drawing.raster, px(x), py(y) - high, wide, high);
  } else if (shape.kind === 'scatter') {
    drawDots(context, drawing, valuesOf(shape.places), widthOf(shape.places), px, py);
  }
  if (drawing.showSamples) drawSamples(context, drawing, px, py);
  context.restore();
  drawAxes(context, style, camera, width, height);
}

function drawDots(
  context: CanvasRenderingContext2D,
  { layer, range, shades }: Drawing,
  places: Float64Array,
  step: number,
  px: (x: number) => number,
  py: (y: number) => number,
): void {
  const count = layer.values.length;
  const radius = count > 20_000 ? 1 : count > 2_000 ? 2 : 4;
  for (let index = 0; index < count; index += 1) {
    const shade = shadeOf(layer.values[index] as number, range);
    if (shade < 0) continue;
    context.fillStyle = cssOf(shades[shade] as number);
    const [x, y] = [px(places[index * step] as number), py(places[index * step + 1] as number)];
    context.fillRect(x - radius, y - radius, radius * 2, radius * 2);
  }
}

function drawSamples(
  context: CanvasRenderingContext2D,
  { model, range, shades, colourSamples }: Drawing,
  px: (x: number) => number,
  py: (y: number) => number,
): void {
  if (model.samples === null) return;
  const { places, values } = model.samples;
  const [all, step] = [valuesOf(places), widthOf(places)];
  const size = values.length > 5_000 ? 1.5 : values.length > 800 ? 2.5 : 4.5;
  const radius = colourSamples ? size : size * 0.5;
  for (let index = 0; index < values.length; index += 1) {
    const shade = colourSamples ? shadeOf(values[index] as number, range) : -1;
    context.beginPath();
    context.arc(
      px(all[index * step] as number),
      py(all[index * step + 1] as number),
      radius,
      0,
      2 * Math.PI,
    );
    context.fillStyle = shade < 0 ? 'rgb(255 255 255 / 85%)' : cssOf(shades[shade] as number);
    context.fill();
    // A dark ring in a light one is seen on every colour.
    context.lineWidth = 2;
    context.strokeStyle = 'rgb(255 255 255 / 75%)';
    context.stroke();
    context.lineWidth = 0.9;
    context.strokeStyle = '#1b232b';
    context.stroke();
  }
}

function drawAxes(
  context: CanvasRenderingContext2D,
  style: CSSStyleDeclaration,
  camera: Camera,
  width: number,
  height: number,
): void {
  const [cx, cy] = middleOfCanvas(width, height);
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
  context.strokeStyle = style.getPropertyValue('--line-strong');
  context.fillStyle = style.getPropertyValue('--text-soft');
  context.lineWidth = 1;
  context.font = `11px ${style.fontFamily}`;
  context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  const xs = ticksOver(
    camera.x + (left - cx) / camera.scale,
    camera.x + (right - cx) / camera.scale,
    (right - left) / 90,
  );
  const ys = ticksOver(
    camera.y - (bottom - cy) / camera.scale,
    camera.y - (top - cy) / camera.scale,
    (bottom - top) / 60,
  );
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const x of xs) {
    const at = cx + (x - camera.x) * camera.scale;
    context.fillRect(at, bottom, 1, 4);
    if (at > left + 20 && at < right - 20) context.fillText(tickWords(x, xs), at, bottom + 7);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const y of ys) {
    const at = cy - (y - camera.y) * camera.scale;
    context.fillRect(left - 4, at, 4, 1);
    if (at > top + 6 && at < bottom - 4) context.fillText(tickWords(y, ys), left - 7, at);
  }
}
