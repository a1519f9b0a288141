import { useMemo, useState } from 'react';
import { at } from '../../document/place.js';
import { numbersIn, type Packed } from '../../document/packed.js';
import { countWords, numberWords } from '../../format/number-words.js';
import { Figure, NothingToDraw } from '../figure.js';
import type { FigureProps } from '../result-views.js';
import type { LineView } from '../view-types.js';
import { PlotFrame } from './plot-frame.js';
import { variogramCurve } from './variogram-curve.js';

/** Points that are drawn of one series: more cannot be told apart. */
const MOST_POINTS = 5_000;
/** Notes beside points are drawn for so few. */
const MOST_NOTES = 30;
const CURVE_STEPS = 200;
const COLOURS = ['--chart-1', '--chart-2', '--chart-3', '--chart-4'];

interface Series {
  readonly title: string;
  readonly style: 'line' | 'points';
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly notes: Float64Array | null;
  readonly noteTitle: string;
  readonly colour: string;
}

/** Points and lines over a common axis; a variogram model is drawn as its curve. */
export default function LineFigure({ view, document }: FigureProps<LineView>) {
  const title = view.title ?? view.y.title;
  const series = useMemo(() => seriesOf(view, document), [view, document]);
  const [near, setNear] = useState<string | null>(null);
  if (series.length === 0)
    return <NothingToDraw title={title} what="the results have no such series" />;
  const xs = rangeOf(series.flatMap(({ x }) => [...extent(x)]));
  const ys = rangeOf(series.flatMap(({ y }) => [...extent(y)]));
  const name = series
    .map((each) => `${each.title}, ${countWords(each.x.length)} points`)
    .join('; ');
  return (
    <Figure title={title} tools={<span className="soft small">{near ?? ''}</span>}>
      <PlotFrame
        label={`${title}: ${name}; ${view.y.title} from ${numberWords(ys[0])} to ${numberWords(ys[1])}`}
        xRange={xs}
        yRange={ys}
        xTitle={named(view.x)}
        yTitle={named(view.y)}
      >
        {(scale) =>
          series.map((each) =>
            each.style === 'line' ? (
              <polyline
                key={each.title}
                className="plot-curve"
                style={{ stroke: `var(${each.colour})` }}
                points={pairsOf(each)
                  .map(([x, y]) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`)
                  .join(' ')}
              />
            ) : (
              <g
                key={each.title}
                style={{ fill: `var(${each.colour})` }}
                onMouseLeave={() => setNear(null)}
              >
                {pairsOf(each).map(([x, y], index) => (
                  <g key={index} onMouseEnter={() => setNear(tell(view, each, index, x, y))}>
                    <circle cx={scale.x(x)} cy={scale.y(y)} r={each.x.length > 500 ? 2 : 4} />
                    {each.notes !== null && each.x.length <= MOST_NOTES && (
                      <text
                        className="plot-text"
                        x={scale.x(x)}
                        y={scale.y(y) - 9}
                        textAnchor="middle"
                      >
                        {each.notes[index]}
                      </text>
                    )}
                  </g>
                ))}
              </g>
            ),
          )
        }
      </PlotFrame>
      <ul className="row small">
        {series.map(({ title: text, colour, style, noteTitle }) => (
          <li key={text} className="row">
            <svg width="22" height="10" aria-hidden="true">
              {style === 'line' ? (
                <line
                  x1="0"
                  x2="22"
                  y1="5"
                  y2="5"
                  strokeWidth="2"
                  style={{ stroke: `var(${colour})` }}
                />
              ) : (
                <circle cx="11" cy="5" r="4" style={{ fill: `var(${colour})` }} />
              )}
            </svg>
            {noteTitle === '' ? text : `${text} (with ${noteTitle})`}
          </li>
        ))}
      </ul>
    </Figure>
  );
}

function seriesOf({ series, variogram }: LineView, document: Packed): Series[] {
  const given = series.flatMap(({ title, style, x, y, notes }, index): Series[] => {
    const [left, up] = [numbersIn(at(document, x)), numbersIn(at(document, y))];
    if (left === null || up === null || left.length === 0) return [];
    return [
      {
        title,
        style,
        x: left,
        y: up,
        notes: notes === undefined ? null : numbersIn(at(document, notes.values)),
        noteTitle: notes?.title ?? '',
        colour: COLOURS[index % COLOURS.length] as string,
      },
    ];
  });
  const curve = variogram === undefined ? null : variogramCurve(at(document, variogram));
  if (curve === null) return given;
  const end = Math.max(...given.flatMap(({ x }) => [extent(x)[1]]), 0) || 1;
  const x = Float64Array.from(
    { length: CURVE_STEPS + 1 },
    (_, step) => (end * 1.05 * step) / CURVE_STEPS,
  );
  // The nugget is what is left right behind 0.
  x[0] = end * 1e-9;
  return [
    ...given,
    {
      title: 'Fitted model',
      style: 'line',
      x,
      y: x.map(curve),
      notes: null,
      noteTitle: '',
      colour: '--chart-2',
    },
  ];
}

function pairsOf({ x, y }: Series): (readonly [number, number])[] {
  const step = Math.max(1, Math.ceil(x.length / MOST_POINTS));
  const pairs = [];
  for (let index = 0; index < x.length; index += step) {
    const pair = [x[index] as number, y[index] as number] as const;
    if (pair.every(Number.isFinite)) pairs.push(pair);
  }
  return pairs;
}

function extent(values: Float64Array): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** From 0 where all are positive, and a little more than the largest. */
function rangeOf(ends: readonly number[]): readonly [number, number] {
  const finite = ends.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const from = low >= 0 && low < high * 0.6 ? 0 : low - (high - low) * 0.05;
  return [from, high + (high - from || 1) * 0.06];
}

const named = ({ title, unit }: LineView['x']) =>
  unit === undefined ? title : `${title} (${unit})`;

function tell(view: LineView, series: Series, index: number, x: number, y: number): string {
  const note = series.notes?.[index];
  const told = `${view.x.title} ${numberWords(x)}, ${view.y.title.toLowerCase()} ${numberWords(y)}`;
  return note === undefined ? told : `${told}, ${countWords(note)} ${series.noteTitle}`;
}
