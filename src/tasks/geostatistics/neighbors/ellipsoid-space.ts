import type { Ellipsoid } from './ellipsoid.schema.js';

/** A row-major 3 × 3 matrix. */
export type Matrix3 = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/**
 * Turns a world vector into the local axes of an ellipsoid (major, semi-major, minor).
 *
 * world = Rz(dip_azimuth) · Rx(dip) · Rz(pitch) · local, with clockwise turns; the matrices are
 * orthogonal, so the way back is the transpose.
 * @param rotation degrees
 */
export function worldToLocal(rotation: Ellipsoid['rotation']): Matrix3 {
  const [ca, sa] = turn(rotation.dip_azimuth);
  const [cd, sd] = turn(rotation.dip);
  const [cp, sp] = turn(rotation.pitch);
  return [
    ca * cp - sa * cd * sp,
    -sa * cp - ca * cd * sp,
    sd * sp,
    ca * sp + sa * cd * cp,
    -sa * sp + ca * cd * cp,
    -sd * cp,
    sa * sd,
    ca * sd,
    cd,
  ];
}

/** True when the three ranges are equal: then no rotation makes a difference. */
export function isIsotropic({
  ellipsoid_ranges: { major, semi_major, minor },
}: Ellipsoid): boolean {
  return major === semi_major && major === minor;
}

/** Cosine and sine of an angle in degrees, exact at the multiples of 90. */
function turn(degrees: number): readonly [cosine: number, sine: number] {
  const quarter = (((degrees / 90) % 4) + 4) % 4;
  if (quarter === 0) return [1, 0];
  if (quarter === 1) return [0, 1];
  if (quarter === 2) return [-1, 0];
  if (quarter === 3) return [0, -1];
  const radians = (degrees * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
}
