/**
 * A symmetric positive definite system, factored in place: A = L Lᵀ (Cholesky; Golub & Van Loan 2013,
 * 4.2). Rows lie one behind the other; nothing is allocated but in the constructor.
 *
 * Two rows are worked on at once, by two columns: each number that is read then takes part in two sums, and
 * the sums do not wait for one another. With an odd number of equations the last row has an idle partner,
 * which is that of the unit matrix.
 */
export class DefiniteSystem {
  /** Equations in use. */
  size = 0;
  /** Lower triangle of A, row by row with `stride` numbers each, to be filled before {@link factor}. */
  readonly matrix: Float64Array;
  readonly stride: number;
  /** 1 / the diagonal of L, which itself is not kept. */
  readonly #inverse: Float64Array;

  /** @param capacity most equations */
  constructor(capacity: number) {
    this.stride = capacity + (capacity & 1);
    this.matrix = new Float64Array(this.stride * this.stride);
    this.#inverse = new Float64Array(this.stride);
  }

  /** A vector for {@link forward} and {@link backward}. */
  vector(): Float64Array {
    return new Float64Array(this.stride);
  }

  /**
   * Replaces A by its factor.
   * @param noise a pivot up to this is rounding alone
   * @returns false when A is not positive definite as far as rounding lets one see
   */
  factor(noise: number): boolean {
    const { matrix: a, stride, size } = this;
    const inverse = this.#inverse;
    if (size & 1) {
      a.fill(0, size * stride, size * stride + size);
      a[size * stride + size] = 1;
    }
    for (let i = 0; i < size; i += 2) {
      const row = i * stride;
      const next = row + stride;
      for (let j = 0; j < i; j += 2) {
        const one = j * stride;
        const other = one + stride;
        let a00 = a[row + j]!;
        let a01 = a[row + j + 1]!;
        let a10 = a[next + j]!;
        let a11 = a[next + j + 1]!;
        for (let k = 0; k < j; k++) {
          const x = a[row + k]!;
          const y = a[next + k]!;
          const u = a[one + k]!;
          const v = a[other + k]!;
          a00 -= x * u;
          a01 -= x * v;
          a10 -= y * u;
          a11 -= y * v;
        }
        const below = a[other + j]!;
        a00 *= inverse[j]!;
        a10 *= inverse[j]!;
        a[row + j] = a00;
        a[next + j] = a10;
        a[row + j + 1] = (a01 - a00 * below) * inverse[j + 1]!;
        a[next + j + 1] = (a11 - a10 * below) * inverse[j + 1]!;
      }
      let pivot = a[row + i]!;
      let below = a[next + i]!;
      let last = a[next + i + 1]!;
      for (let k = 0; k < i; k++) {
        const x = a[row + k]!;
        const y = a[next + k]!;
        pivot -= x * x;
        below -= x * y;
        last -= y * y;
      }
      // Not `<=`: a pivot that is NaN must not pass.
      if (!(pivot > noise)) return false;
      inverse[i] = 1 / Math.sqrt(pivot);
      below *= inverse[i]!;
      a[next + i] = below;
      last -= below * below;
      if (i + 1 < size && !(last > noise)) return false;
      inverse[i + 1] = 1 / Math.sqrt(last);
    }
    return true;
  }

  /** Solves L x = b in place. @param b of {@link vector} */
  forward(b: Float64Array): void {
    const { matrix: l, stride, size } = this;
    const inverse = this.#inverse;
    if (size & 1) b[size] = 0;
    for (let i = 0; i < size; i += 2) {
      const row = i * stride;
      const next = row + stride;
      let first = b[i]!;
      let second = b[i + 1]!;
      let firstOdd = 0;
      let secondOdd = 0;
      for (let k = 0; k < i; k += 2) {
        const even = b[k]!;
        const odd = b[k + 1]!;
        first -= l[row + k]! * even;
        firstOdd -= l[row + k + 1]! * odd;
        second -= l[next + k]! * even;
        secondOdd -= l[next + k + 1]! * odd;
      }
      first = (first + firstOdd) * inverse[i]!;
      b[i] = first;
      b[i + 1] = (second + secondOdd - l[next + i]! * first) * inverse[i + 1]!;
    }
  }

  /** Solves Lᵀ x = b in place. @param b of {@link vector} */
  backward(b: Float64Array): void {
    const { matrix: l, stride, size } = this;
    const inverse = this.#inverse;
    for (let i = size - 1; i >= 0; i--) {
      const row = i * stride;
      const solved = b[i]! * inverse[i]!;
      b[i] = solved;
      for (let k = 0; k < i; k++) b[k]! -= l[row + k]! * solved;
    }
  }
}
