/**
 * A symmetric positive definite system, factored in place: A = L Lᵀ (Cholesky; Golub & Van Loan 2013,
 * 4.2). Rows lie one behind the other; nothing is allocated but in the constructor.
 */
export class DefiniteSystem {
  /** Equations in use. */
  size = 0;
  /** Lower triangle of A, row by row with `capacity` numbers each, to be filled before {@link factor}. */
  readonly matrix: Float64Array;
  readonly capacity: number;

  /** @param capacity most equations */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.matrix = new Float64Array(capacity * capacity);
  }

  /**
   * Replaces A by its factor.
   * @param noise a pivot up to this is rounding alone
   * @returns false when A is not positive definite as far as rounding lets one see
   */
  factor(noise: number): boolean {
    const { matrix: a, capacity, size } = this;
    for (let i = 0; i < size; i++) {
      const row = i * capacity;
      for (let j = 0; j <= i; j++) {
        const other = j * capacity;
        let sum = a[row + j]!;
        for (let k = 0; k < j; k++) sum -= a[row + k]! * a[other + k]!;
        if (j < i) a[row + j] = sum / a[other + j]!;
        // Not `<=`: a pivot that is NaN must not pass.
        else if (!(sum > noise)) return false;
        else a[row + i] = Math.sqrt(sum);
      }
    }
    return true;
  }

  /** Solves L x = b in place. */
  forward(b: Float64Array): void {
    const { matrix: l, capacity, size } = this;
    for (let i = 0; i < size; i++) {
      const row = i * capacity;
      let sum = b[i]!;
      for (let k = 0; k < i; k++) sum -= l[row + k]! * b[k]!;
      b[i] = sum / l[row + i]!;
    }
  }

  /** Solves Lᵀ x = b in place. */
  backward(b: Float64Array): void {
    const { matrix: l, capacity, size } = this;
    for (let i = size - 1; i >= 0; i--) {
      const row = i * capacity;
      b[i] = b[i]! / l[row + i]!;
      for (let k = 0; k < i; k++) b[k]! -= l[row + k]! * b[i]!;
    }
  }
}
