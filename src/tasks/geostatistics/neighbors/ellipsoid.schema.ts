import { z } from 'zod';

const range = z.number().min(1e-9).max(1e12);
const angle = z.number().min(-360).max(360);

/** Three perpendicular half-axes of an ellipsoid and where they point. */
export const ellipsoidSchema = z
  .strictObject({
    ellipsoid_ranges: z
      .strictObject({
        major: range.meta({ description: 'Range along the local x axis' }),
        semi_major: range.meta({ description: 'Range along the local y axis' }),
        minor: range.meta({
          description:
            'Range along the local z axis; with 2-D data it matters only when dip is not 0',
        }),
      })
      .meta({ description: 'Half-axes of the ellipsoid, in the unit of the coordinates' }),
    rotation: z
      .strictObject({
        dip_azimuth: angle.meta({ description: 'Third turn, about the z axis' }),
        dip: angle.meta({ description: 'Second turn, about the x axis' }),
        pitch: angle.meta({ description: 'First turn, about the z axis' }),
      })
      .prefault({ dip_azimuth: 0, dip: 0, pitch: 0 })
      .meta({
        description:
          'Degrees, each clockwise: world = Rz(dip_azimuth) · Rx(dip) · Rz(pitch) · local, with ' +
          'Rz(a) = [[cos a, sin a, 0], [-sin a, cos a, 0], [0, 0, 1]] and ' +
          'Rx(a) = [[1, 0, 0], [0, cos a, sin a], [0, -sin a, cos a]]. ' +
          'Without rotation the major axis is x (east) and the semi-major axis is y (north)',
      }),
  })
  .meta({ description: 'An ellipsoid; 2-D locations lie in its plane z = 0' });

export type Ellipsoid = z.output<typeof ellipsoidSchema>;
