import { useMemo } from 'react';
import { at } from '../../document/place.js';
import { numbersIn } from '../../document/packed.js';
import { countWords, numberWords } from '../../format/number-words.js';
import { Figure, NothingToDraw } from '../figure.js';
import type { FigureProps } from '../result-views.js';
import type { HistogramView } from '../view-types.js';
import { histogramOf } from './histogram.js';
import { PlotFrame } from './plot-frame.js';

/** How numbers are distributed. */
export default function HistogramFigure({ view, document }: FigureProps<HistogramView>) {
  const values = useMemo(() => numbersIn(at(document, view.values)), [view, document]);
  const title = view.title ?? 'Distribution';
  const found = useMemo(() => (values === null ? null : histogramOf(values)), [values]);
  if (found === null)
    return <NothingToDraw title={title} what="the results have no such numbers" />;
  const { bins, low, high, summary } = found;
  const width = (high - low) / bins.length;
  const most = Math.max(...bins);
  const unit = view.unit === undefined ? '' : ` ${view.unit}`;
  const facts = [
    `${countWords(summary.count)} values`,
    ...(summary.missing > 0 ? [`${countWords(summary.missing)} missing`] : []),
    `mean ${numberWords(summary.mean)}${unit}`,
    `median ${numberWords(summary.median)}${unit}`,
    `standard deviation ${numberWords(summary.deviation)}${unit}`,
  ].join(', ');
  return (
    <Figure title={title}>
      <PlotFrame
        label={`${title}: ${facts}; from ${numberWords(low)} to ${numberWords(high)}${unit}`}
        xRange={[low, high]}
        yRange={[0, most * 1.05]}
        xTitle={view.unit === undefined ? 'Value' : `Value (${view.unit})`}
        yTitle="Count"
        height={240}
      >
        {(scale) =>
          bins.map((count, index) => {
            const left = scale.x(low + index * width);
            return (
              <rect
                key={index}
                className="plot-bar"
                x={left + 0.5}
                y={scale.y(count)}
                width={Math.max(0.5, scale.x(low + (index + 1) * width) - left - 1)}
                height={scale.floor - scale.y(count)}
              />
            );
          })
        }
      </PlotFrame>
      <p className="small soft">{`${facts}.`}</p>
    </Figure>
  );
}
