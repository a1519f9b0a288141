/** A ramp of colours from small to large: even in lightness, so that it works in grey and for the colour-blind. */
export interface ColourRamp {
  readonly name: string;
  /** `#rrggbb`, evenly spaced. */
  readonly stops: readonly string[];
}

/** Of matplotlib, by S. van der Walt and N. Smith: public domain. */
export const VIRIDIS: ColourRamp = {
  name: 'viridis',
  stops: [
    '#440154',
    '#482878',
    '#3e4989',
    '#31688e',
    '#26828e',
    '#1f9e89',
    '#35b779',
    '#6ece58',
    '#b5de2b',
    '#fde725',
  ],
};
/** For variances beside estimates: nobody should take the one for the other. */
export const INFERNO: ColourRamp = {
  name: 'inferno',
  stops: [
    '#000004',
    '#1b0c41',
    '#4a0c6b',
    '#781c6d',
    '#a52c60',
    '#cf4446',
    '#ed6925',
    '#fb9b06',
    '#f7d13d',
    '#fcffa4',
  ],
};

const SHADES = 256;

/** The ramp in 256 shades, as the pixels of an image have them (little-endian ABGR). */
export function shadesOf({ stops }: ColourRamp): Uint32Array {
  const shades = new Uint32Array(SHADES);
  const parts = stops.map((stop) =>
    [1, 3, 5].map((from) => parseInt(stop.slice(from, from + 2), 16)),
  );
  for (let shade = 0; shade < SHADES; shade += 1) {
    const place = (shade / (SHADES - 1)) * (parts.length - 1);
    const index = Math.min(Math.floor(place), parts.length - 2);
    const [low, high] = [parts[index] as number[], parts[index + 1] as number[]];
    const [r, g, b] = low.map((part, at) =>
      Math.round(part + ((high[at] as number) - part) * (place - index)),
    ) as [number, number, number];
    shades[shade] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return shades;
}

/** One shade as CSS has it. */
export function cssOf(shade: number): string {
  return `rgb(${shade & 255} ${(shade >> 8) & 255} ${(shade >> 16) & 255})`;
}

/** Which shade a value has; NaN has none (-1). */
export function shadeOf(value: number, [low, high]: readonly [number, number]): number {
  if (Number.isNaN(value)) return -1;
  const part = high > low ? (value - low) / (high - low) : 0.5;
  return Math.max(0, Math.min(SHADES - 1, Math.floor(part * SHADES)));
}
