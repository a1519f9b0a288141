import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { currentTheme, subscribeToTheme } from '../../app/theme.js';
import { type Bounds, type Camera, fitted, middleOfCanvas, zoomed } from './map-camera.js';
import { type Drawing, drawMap } from './map-drawing.js';

const HEIGHT_PX = 440;

/** A place on the plane that somebody points at. */
export interface Pointed {
  readonly x: number;
  readonly y: number;
  /** Units of length in a pixel: how exactly it is pointed. */
  readonly pixel: number;
}

/**
 * One map on a canvas. The part in sight is shared by maps that stand side by side: they move together.
 * @param camera null: everything is shown
 */
export function MapCanvas({
  drawing,
  bounds,
  camera,
  onCamera,
  onPoint,
  label,
}: {
  drawing: Drawing;
  bounds: Bounds;
  camera: Camera | null;
  onCamera: (camera: Camera) => void;
  onPoint: (place: Pointed | null) => void;
  label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useSyncExternalStore(subscribeToTheme, currentTheme);
  const all = fitted(bounds, width, HEIGHT_PX);
  const seen = camera ?? all;
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const wanted = [Math.round(width * ratio), Math.round(HEIGHT_PX * ratio)] as const;
    if (element.width !== wanted[0]) element.width = wanted[0];
    if (element.height !== wanted[1]) element.height = wanted[1];
    drawMap(element, drawing, seen);
    element.dataset.drawn = 'true';
    performance.mark('map drawn');
  }, [drawing, seen.x, seen.y, seen.scale, width, theme]);

  const offset = (event: { clientX: number; clientY: number }) => {
    const box = canvas.current?.getBoundingClientRect();
    const [cx, cy] = middleOfCanvas(width, HEIGHT_PX);
    return [event.clientX - (box?.left ?? 0) - cx, event.clientY - (box?.top ?? 0) - cy] as const;
  };
  // React listens to wheels passively, and the page would scroll.
  const turn = useRef<(event: WheelEvent) => void>(undefined);
  turn.current = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    onCamera(zoomed(seen, Math.exp(-event.deltaY / 400), offset(event), all.scale));
  };
  useEffect(() => {
    const element = canvas.current;
    const listen = (event: WheelEvent) => turn.current?.(event);
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, []);
  const dragged = useRef<readonly [number, number] | null>(null);

  return (
    <canvas
      ref={canvas}
      className="map"
      role="img"
      aria-label={label}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = [event.clientX, event.clientY];
      }}
      onPointerUp={() => (dragged.current = null)}
      onPointerMove={(event) => {
        const from = dragged.current;
        if (from !== null) {
          dragged.current = [event.clientX, event.clientY];
          onCamera({
            ...seen,
            x: seen.x - (event.clientX - from[0]) / seen.scale,
            y: seen.y + (event.clientY - from[1]) / seen.scale,
          });
          return;
        }
        const [dx, dy] = offset(event);
        onPoint({
          x: seen.x + dx / seen.scale,
          y: seen.y - dy / seen.scale,
          pixel: 1 / seen.scale,
        });
      }}
      onPointerLeave={() => onPoint(null)}
    />
  );
}
