/** Values looked at for a percentile: enough for a colour scale, whatever the number of cells. */
const SAMPLED = 50_000;

/** The smallest and largest of the numbers, and how many there are; null when there is none. */
export function extentOf(
  values: Float64Array,
): { readonly range: readonly [number, number]; readonly count: number } | null {
  let low = Infinity;
  let high = -Infinity;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count += 1;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return count === 0 ? null : { range: [low, high], count };
}

/** From the 2nd to the 98th percentile: a few outliers then do not take all the colours. */
export function middleOf(values: Float64Array): readonly [number, number] {
  const step = Math.max(1, Math.floor(values.length / SAMPLED));
  const sampled = [];
  for (let index = 0; index < values.length; index += step) {
    const value = values[index] as number;
    if (!Number.isNaN(value)) sampled.push(value);
  }
  const sorted = Float64Array.from(sampled).sort();
  const quantile = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
  return [quantile(0.02), quantile(0.98)];
}
