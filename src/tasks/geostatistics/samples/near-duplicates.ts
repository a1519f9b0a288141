import type { SampleSet } from './sample-set.js';
import { type Warning, warning } from '../warning.schema.js';

/** Samples closer than this part of the usual spacing are one place measured twice, or a slip. */
const NEAR = 1 / 100;
/** Pairs that the message spells out. */
const MAX_TOLD = 3;

/** The nearest other sample of every sample. */
export class NearestSamples {
  /** Squared distance to it; Infinity before the first {@link meet}. */
  readonly squares: Float64Array;
  readonly #partners: Uint32Array;
  readonly #least: number;

  /** @param least distances below it are negligible in any case */
  constructor(size: number, least = 0) {
    this.#least = least;
    this.squares = new Float64Array(size).fill(Infinity);
    this.#partners = new Uint32Array(size);
  }

  /** Tells that two samples are so far from each other. */
  meet(i: number, j: number, square: number): void {
    if (square < this.squares[i]!) {
      this.squares[i] = square;
      this.#partners[i] = j;
    }
    if (square < this.squares[j]!) {
      this.squares[j] = square;
      this.#partners[j] = i;
    }
  }

  /**
   * The median distance of a sample to the nearest one at another place. Infinity when all are at
   * one place, or there is only one.
   */
  get spacing(): number {
    const apart = this.squares.filter((square) => square > 0 && square < Infinity).toSorted();
    return apart.length === 0 ? Infinity : Math.sqrt(apart[apart.length >> 1]!);
  }

  /**
   * Distances below this one are those of near-duplicates: a hundredth of the spacing, or what
   * was given as the least. When most of the samples come in close pairs, that is their spacing and
   * nothing is unusual.
   */
  get negligible(): number {
    const { spacing } = this;
    return Math.max(this.#least, spacing === Infinity ? 0 : spacing * NEAR);
  }

  /** Pairs of a sample and its nearest one that are near-duplicates, or at one place; by index. */
  get pairs(): [first: number, second: number][] {
    const { negligible } = this;
    const pairs: [number, number][] = [];
    this.squares.forEach((square, i) => {
      const j = this.#partners[i]!;
      const near = square === 0 || Math.sqrt(square) < negligible;
      // Of a pair that is nearest to one another only the first speaks.
      if (near && (i < j || this.#partners[j] !== i)) pairs.push([Math.min(i, j), Math.max(i, j)]);
    });
    return pairs.toSorted(([a, b], [c, d]) => a - c || b - d);
  }
}

/**
 * The warning that names near-duplicates, if there are any.
 * @param consequence what became of them, as the end of a sentence after a semicolon
 */
export function nearDuplicates(
  nearest: NearestSamples,
  samples: SampleSet,
  consequence: string,
): Warning[] {
  const { pairs, spacing } = nearest;
  if (pairs.length === 0) return [];
  const { listed } = samples;
  const told = pairs.slice(0, MAX_TOLD).map(([i, j]) => {
    const { x, y, z } = samples;
    const apart = Math.hypot(x[i]! - x[j]!, y[i]! - y[j]!, z[i]! - z[j]!);
    return `${listed[i]} and ${listed[j]} (${apart === 0 ? 'at one place' : `${short(apart)} apart`})`;
  });
  const more = pairs.length > MAX_TOLD ? ` and ${pairs.length - MAX_TOLD} more pairs` : '';
  const usual = spacing === Infinity ? '' : `, where samples are usually ${short(spacing)} apart`;
  return [
    warning(
      'near-duplicates',
      `Samples ${told.join(', ')}${more} are almost at the same place${usual}; ${consequence}`,
      pairs.flat().map((sample) => listed[sample]!),
    ),
  ];
}

/** Four digits are enough for people. */
function short(length: number): string {
  return String(Number(length.toPrecision(4)));
}
