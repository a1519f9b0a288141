/**
 * The n − 1 orthonormal contrasts of n numbers: the columns of P, which are the last ones of the Householder
 * reflection H = I − β v vᵀ that turns 1/√n onto the first axis (Golub & Van Loan 2013, 5.1). All parts of
 * v are s = 1/√n but the first, which is 1 + s; β = 1 / (1 + s).
 */

/** Replaces n numbers by their n − 1 contrasts, Pᵀ times them. */
export function toContrasts(numbers: Float64Array, count: number): void {
  const s = 1 / Math.sqrt(count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += numbers[i]!;
  const shift = (s / (1 + s)) * (numbers[0]! + s * sum);
  for (let i = 1; i < count; i++) numbers[i - 1] = numbers[i]! - shift;
}

/** The weights 1/n + P y of n − 1 numbers y. */
export function fromContrasts(numbers: Float64Array, count: number, weights: Float64Array): void {
  const s = 1 / Math.sqrt(count);
  const beta = 1 / (1 + s);
  let product = 0;
  for (let i = 1; i < count; i++) product += s * numbers[i - 1]!;
  weights[0] = 1 / count - beta * (1 + s) * product;
  for (let i = 1; i < count; i++) weights[i] = 1 / count + numbers[i - 1]! - beta * s * product;
}

/**
 * Fills the lower triangle of B = −PᵀΓP, n − 1 rows of `stride` numbers.
 *
 * H Γ H = Γ − v qᵀ − q vᵀ with p = β Γ v, q = p − (β/2 · vᵀp) v.
 * @param among Γ, that of i and j < i at i (i − 1) / 2 + j; its diagonal is 0
 * @param means of the rows of Γ
 * @param q receives `count` numbers on the way
 */
export function fillContrasts(
  among: Float64Array,
  means: Float64Array,
  count: number,
  matrix: Float64Array,
  stride: number,
  q: Float64Array,
): void {
  const s = 1 / Math.sqrt(count);
  const beta = 1 / (1 + s);
  let product = 0;
  for (let i = 0; i < count; i++) {
    // Γ v = √n · mean + first column, since s · Σⱼ Γᵢⱼ = s · n · meanᵢ.
    const first = i === 0 ? 0 : among[(i * (i - 1)) / 2]!;
    q[i] = beta * (means[i]! / s + first);
    product += (i === 0 ? 1 + s : s) * q[i]!;
  }
  const shift = (beta / 2) * product;
  for (let i = 0; i < count; i++) q[i] = s * (q[i]! - shift * (i === 0 ? 1 + s : s));
  for (let i = 1; i < count; i++) {
    const row = (i - 1) * stride - 1;
    const from = (i * (i - 1)) / 2;
    const mine = q[i]!;
    for (let j = 1; j < i; j++) matrix[row + j] = mine + q[j]! - among[from + j]!;
    matrix[row + i] = 2 * mine;
  }
}
