import { type ReactNode, useEffect, useRef, useState } from 'react';
import { tickWords, ticksOver } from './ticks.js';

const MARGIN = { left: 64, right: 14, top: 10, bottom: 42 };

/** From data to pixels. */
export interface PlotScale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  /** Pixels from the top to the x axis. */
  readonly floor: number;
}

/** The frame of a chart: two axes with their names, and what is drawn between them. */
export function PlotFrame({
  label,
  xRange,
  yRange,
  xTitle,
  yTitle,
  height = 320,
  xTicks,
  xWords,
  children,
}: {
  label: string;
  xRange: readonly [number, number];
  yRange: readonly [number, number];
  xTitle: string;
  yTitle: string;
  height?: number;
  /** Where the x axis has ticks, when not at round numbers. */
  xTicks?: readonly number[];
  /** How a tick of the x axis is written, when it is no plain number. */
  xWords?: (value: number) => string;
  children: (scale: PlotScale) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const watch = new ResizeObserver(() => setWidth(Math.max(240, element.clientWidth)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const [right, floor] = [width - MARGIN.right, height - MARGIN.bottom];
  const scale: PlotScale = {
    x: (value) =>
      MARGIN.left + ((value - xRange[0]) / (xRange[1] - xRange[0] || 1)) * (right - MARGIN.left),
    y: (value) =>
      floor - ((value - yRange[0]) / (yRange[1] - yRange[0] || 1)) * (floor - MARGIN.top),
    floor,
  };
  const xs = xTicks ?? ticksOver(xRange[0], xRange[1], (right - MARGIN.left) / 90);
  const ys = ticksOver(yRange[0], yRange[1], (floor - MARGIN.top) / 50);
  return (
    <div ref={box} className="plot" style={{ height }}>
      <svg role="img" aria-label={label} width={width} height={height}>
        {ys.map((y) => (
          <g key={y}>
            <line
              className="plot-line"
              x1={MARGIN.left}
              x2={right}
              y1={scale.y(y)}
              y2={scale.y(y)}
            />
            <text
              className="plot-text"
              x={MARGIN.left - 8}
              y={scale.y(y)}
              dy="0.32em"
              textAnchor="end"
            >
              {tickWords(y, ys)}
            </text>
          </g>
        ))}
        {xs.map((x) => (
          <text key={x} className="plot-text" x={scale.x(x)} y={floor + 16} textAnchor="middle">
            {xWords?.(x) ?? tickWords(x, xs)}
          </text>
        ))}
        <line className="plot-axis" x1={MARGIN.left} x2={right} y1={floor} y2={floor} />
        <text
          className="plot-text"
          x={(MARGIN.left + right) / 2}
          y={height - 6}
          textAnchor="middle"
        >
          {xTitle}
        </text>
        <text
          className="plot-text"
          transform={`translate(13 ${(MARGIN.top + floor) / 2}) rotate(-90)`}
          textAnchor="middle"
        >
          {yTitle}
        </text>
        {children(scale)}
      </svg>
    </div>
  );
}
