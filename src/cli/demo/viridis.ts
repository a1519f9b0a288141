/** Viridis (van der Walt and Smith, 2015; CC0), at seventeen places. */
const COLOURS = [
  [0x44, 0x01, 0x54],
  [0x48, 0x18, 0x6a],
  [0x47, 0x2d, 0x7b],
  [0x42, 0x40, 0x86],
  [0x3b, 0x52, 0x8b],
  [0x33, 0x63, 0x8d],
  [0x2c, 0x72, 0x8e],
  [0x26, 0x82, 0x8e],
  [0x21, 0x91, 0x8c],
  [0x1f, 0xa0, 0x88],
  [0x28, 0xae, 0x80],
  [0x3f, 0xbc, 0x73],
  [0x5e, 0xc9, 0x62],
  [0x84, 0xd4, 0x4b],
  [0xad, 0xdc, 0x30],
  [0xd8, 0xe2, 0x19],
  [0xfd, 0xe7, 0x25],
] as const;

/**
 * A colour ramp that is even to the eye, also in grey and to people who see few colours.
 * @param share 0 (dark violet) to 1 (yellow)
 * @returns such as `#21918c`
 */
export function viridis(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (COLOURS.length - 1);
  const index = Math.min(COLOURS.length - 2, Math.floor(place));
  const [low, high] = [COLOURS[index]!, COLOURS[index + 1]!];
  const channels = low.map((from, i) => Math.round(from + (place - index) * (high[i]! - from)));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
