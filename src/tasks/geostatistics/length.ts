/** Below this the squares of a vector's parts lose digits or vanish. */
export const SMALLEST_SQUARE = 1e-280;

/** Length of a vector, right for the smallest ones too. */
export function lengthOf(x: number, y: number, z: number): number {
  const square = x * x + y * y + z * z;
  return square > SMALLEST_SQUARE ? Math.sqrt(square) : Math.hypot(x, y, z);
}
