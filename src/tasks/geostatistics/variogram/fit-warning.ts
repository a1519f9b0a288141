import { type Warning, warning } from '../warning.schema.js';
import type { Fit } from './variogram-fit.js';

/** What is to be said of a fit that ended at the edge of what was tried. */
export function doubtsOf({ edge }: Fit): Warning[] {
  switch (edge) {
    case 'inside':
      return [];
    case 'longest':
      return [
        warning(
          'range-at-longest',
          'The semivariogram does not level off within the cutoff, so its range is only a lower bound: ' +
            'look for a trend, or raise cutoff',
        ),
      ];
    case 'shortest':
      return [
        warning(
          'range-at-shortest',
          'The semivariogram has levelled off within its first class, so its range is only an upper bound: ' +
            'lower lag, if there are closer samples',
        ),
      ];
    case 'plateau':
      return [
        warning(
          'range-undetermined',
          'Ranges that differ fit alike, because a single class rises; the range is the longest of them: ' +
            'lower lag, or raise cutoff',
        ),
      ];
    case 'none':
      return [
        warning(
          'no-structure',
          'No structure fits better than a nugget alone: contribution is 0 and the range, the cutoff, ' +
            'means nothing. Samples of such a model tell nothing of the places between them',
        ),
      ];
    default:
      return edge satisfies never;
  }
}
