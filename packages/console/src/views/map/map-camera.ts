/** Which part of the plane is in sight: its centre, and how many pixels a unit of length has. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export type Bounds = readonly [number, number, number, number];

/** Room for the axes, in pixels. */
export const MARGIN = { left: 62, right: 10, top: 8, bottom: 26 } as const;
const MOST_ZOOM = 4_000;

/** Shows all of the bounds, and a little more. */
export function fitted([x0, y0, x1, y1]: Bounds, width: number, height: number): Camera {
  const room = [
    Math.max(1, width - MARGIN.left - MARGIN.right),
    Math.max(1, height - MARGIN.top - MARGIN.bottom),
  ] as const;
  const scale = Math.min(room[0] / (x1 - x0 || 1), room[1] / (y1 - y0 || 1)) * 0.96;
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale };
}

/** Zooms so that the place under the pointer stays there. @param least the scale that shows everything */
export function zoomed(
  camera: Camera,
  factor: number,
  [dx, dy]: readonly [number, number],
  least: number,
): Camera {
  const scale = Math.min(Math.max(camera.scale * factor, least * 0.5), least * MOST_ZOOM);
  const shift = 1 / camera.scale - 1 / scale;
  return { x: camera.x + dx * shift, y: camera.y - dy * shift, scale };
}

/** The middle of the map's own part of a canvas. */
export const middleOfCanvas = (width: number, height: number) =>
  [(width + MARGIN.left - MARGIN.right) / 2, (height + MARGIN.top - MARGIN.bottom) / 2] as const;
