const MOST_BINS = 60;
const LEAST_BINS = 8;

/** Numbers in bins of one width, and what one says of them in a line. */
export interface Histogram {
  readonly bins: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly summary: {
    readonly count: number;
    readonly missing: number;
    readonly mean: number;
    readonly median: number;
    readonly deviation: number;
  };
}

/** @returns null without a number. The width follows Freedman and Diaconis (1981), within bounds. */
export function histogramOf(values: Float64Array): Histogram | null {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const count = sorted.length;
  if (count === 0) return null;
  const quantile = (part: number) =>
    sorted[Math.min(count - 1, Math.floor(part * count))] as number;
  const [low, high] = [sorted[0] as number, sorted[count - 1] as number];
  const width = (2 * (quantile(0.75) - quantile(0.25))) / Math.cbrt(count);
  const wanted = width > 0 ? Math.ceil((high - low) / width) : LEAST_BINS;
  const size = high > low ? Math.max(LEAST_BINS, Math.min(MOST_BINS, wanted)) : 1;
  const bins = Array.from({ length: size }, () => 0);
  let sum = 0;
  for (const value of sorted) {
    sum += value;
    const bin =
      high > low ? Math.min(size - 1, Math.floor(((value - low) / (high - low)) * size)) : 0;
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const mean = sum / count;
  const squares = sorted.reduce((total, value) => total + (value - mean) ** 2, 0);
  return {
    bins,
    low: high > low ? low : low - 0.5,
    high: high > low ? high : high + 0.5,
    summary: {
      count,
      missing: values.length - count,
      mean,
      median: quantile(0.5),
      deviation: Math.sqrt(squares / Math.max(1, count - 1)),
    },
  };
}
