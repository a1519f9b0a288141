import { numberWords } from '../../format/number-words.js';
import type { ColourRamp } from './colour-ramp.js';

/** Which colour means what. @param cut whether what lies outside has the colour of the end */
export function ColourScale({
  ramp,
  range: [low, high],
  unit,
  cut,
}: {
  ramp: ColourRamp;
  range: readonly [number, number];
  unit: string;
  cut: boolean;
}) {
  const middle = (low + high) / 2;
  return (
    <div className="colour-scale small">
      <div
        className="colour-strip"
        aria-hidden="true"
        style={{ background: `linear-gradient(to right, ${ramp.stops.join(', ')})` }}
      />
      <div className="colour-ends">
        <span>{`${cut ? '≤ ' : ''}${numberWords(low)}`}</span>
        <span>{numberWords(middle)}</span>
        <span>{`${cut ? '≥ ' : ''}${numberWords(high)}${unit === '' ? '' : ` ${unit}`}`}</span>
      </div>
    </div>
  );
}
