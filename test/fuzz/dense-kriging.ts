interface Sample {
  readonly at: readonly [number, number];
  readonly value: number;
}

/**
 * Ordinary kriging a second time, as textbooks write it: the system of semivariances with a Lagrange
 * multiplier, solved by elimination with pivots. A target on a sample has its value, and variance 0.
 * @param gamma of a distance above 0
 */
export function ordinaryKriging(
  samples: readonly Sample[],
  target: readonly [number, number],
  gamma: (distance: number) => number,
): { value: number; variance: number } {
  const hit = samples.find(({ at }) => at[0] === target[0] && at[1] === target[1]);
  if (hit) return { value: hit.value, variance: 0 };
  const between = (a: readonly [number, number], b: readonly [number, number]) => {
    const distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
    return distance === 0 ? 0 : gamma(distance);
  };
  const rows = samples.map(({ at }) => [
    ...samples.map((other) => between(at, other.at)),
    1,
    between(at, target),
  ]);
  rows.push([...samples.map(() => 1), 0, 1]);
  const right = rows.map((row) => row.at(-1)!);
  const weights = solve(rows);
  return {
    value: samples.reduce((sum, { value }, i) => sum + weights[i]! * value, 0),
    variance: weights.reduce((sum, weight, i) => sum + weight * right[i]!, 0),
  };
}

/** Gauss–Jordan elimination of rows whose last number is the right side. */
function solve(rows: number[][]): number[] {
  const size = rows.length;
  const left = rows.map((row) => [...row]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) {
      if (Math.abs(left[i]![column]!) > Math.abs(left[pivot]![column]!)) pivot = i;
    }
    [left[column], left[pivot]] = [left[pivot]!, left[column]!];
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = left[i]![column]! / left[column]![column]!;
      for (let j = column; j <= size; j++) left[i]![j]! -= factor * left[column]![j]!;
    }
  }
  return left.map((row, i) => row[size]! / row[i]!);
}
