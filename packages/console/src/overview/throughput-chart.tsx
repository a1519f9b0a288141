import type { Overview } from '../api/overview-types.js';
import { countWords } from '../format/number-words.js';
import { clockWords } from '../format/time-words.js';
import { PlotFrame } from '../views/chart/plot-frame.js';

/** What became of jobs, from the bottom of a column to its top. */
const PARTS = [
  { name: 'succeeded', words: 'Succeeded', colour: '--chart-3' },
  { name: 'failed', words: 'Failed', colour: '--chart-4' },
  { name: 'canceled', words: 'Canceled', colour: '--line-strong' },
] as const;

/** How many jobs ended, a column for each part of the period, and how many were submitted. */
export function ThroughputChart({ overview, words }: { overview: Overview; words: string }) {
  const { throughput } = overview;
  const [first, second] = throughput.map(({ at }) => Date.parse(at));
  const step = (second ?? 0) - (first ?? 0) || 60_000;
  const ends = throughput.map((part) => part.succeeded + part.failed + part.canceled);
  const most = Math.max(1, ...ends, ...throughput.map(({ submitted }) => submitted));
  const total = (name: (typeof PARTS)[number]['name'] | 'submitted') =>
    throughput.reduce((sum, part) => sum + part[name], 0);
  const from = first ?? 0;
  const range = [from, from + step * throughput.length] as const;
  return (
    <>
      <PlotFrame
        label={`Throughput in ${words}: ${countWords(total('submitted'))} submitted, ${PARTS.map(({ name }) => `${countWords(total(name))} ${name}`).join(', ')}`}
        xRange={range}
        yRange={[0, most * 1.08]}
        xTitle="Time"
        yTitle={step < 120_000 ? 'Jobs a minute' : 'Jobs in 15 minutes'}
        height={240}
        xTicks={timeTicks(range)}
        xWords={(moment) => clockWords(moment).slice(0, 5)}
      >
        {(scale) => (
          <>
            {throughput.map((part, index) => {
              const left = scale.x(from + index * step);
              const width = Math.max(1, scale.x(from + (index + 1) * step) - left - 1);
              let below = 0;
              return PARTS.map(({ name, colour }) => {
                const top = scale.y(below + part[name]);
                const height = scale.y(below) - top;
                below += part[name];
                return height <= 0 ? null : (
                  <rect
                    key={name}
                    x={left}
                    y={top}
                    width={width}
                    height={height}
                    style={{ fill: `var(${colour})` }}
                  />
                );
              });
            })}
            <polyline
              className="plot-curve"
              style={{ stroke: 'var(--chart-1)' }}
              points={throughput
                .map(
                  ({ submitted }, index) =>
                    `${scale.x(from + (index + 0.5) * step).toFixed(1)},${scale.y(submitted).toFixed(1)}`,
                )
                .join(' ')}
            />
          </>
        )}
      </PlotFrame>
      <ul className="row small">
        <li className="row">
          <svg width="22" height="10" aria-hidden="true">
            <line
              x1="0"
              x2="22"
              y1="5"
              y2="5"
              strokeWidth="2"
              style={{ stroke: 'var(--chart-1)' }}
            />
          </svg>
          {`Submitted ${countWords(total('submitted'))}`}
        </li>
        {PARTS.map(({ name, words: word, colour }) => (
          <li key={name} className="row">
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" rx="2" style={{ fill: `var(${colour})` }} />
            </svg>
            {`${word} ${countWords(total(name))}`}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Round moments of the user's own day. */
function timeTicks([from, to]: readonly [number, number]): number[] {
  const step = to - from > 4 * 3_600_000 ? 3 * 3_600_000 : 10 * 60_000;
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const ticks = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step)
    ticks.push(at);
  return ticks;
}
