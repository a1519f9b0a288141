import { NeighborSystem } from './neighbor-system.js';

/** All kept systems together; those of 20 neighbours take 4 kB each. */
const MAX_BYTES = 8 * 1024 * 1024;
/** More would not fit a processor's own memory. */
const MAX_SYSTEMS = 1024;

/**
 * The systems factored last, by their neighbours: the next row of a grid meets most of those of the row
 * before. Each set of neighbours has one place, which another set may take.
 */
export class SystemCache {
  readonly #most: number;
  readonly #kept: (NeighborSystem | undefined)[];

  /** @param most neighbours of one system */
  constructor(most: number) {
    this.#most = most;
    const bytes = 8 * (most + 1) * (most + 8);
    const room = Math.min(MAX_SYSTEMS, Math.max(1, Math.floor(MAX_BYTES / bytes)));
    this.#kept = Array.from({ length: 2 ** Math.floor(Math.log2(room)) });
  }

  /** The system that these neighbours have, or that is to become theirs. */
  placeOf(neighbors: Uint32Array, count: number): NeighborSystem {
    let hash = count;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ neighbors[i]!, 0x9e3779b1);
    // The high bits of a product depend on all bits of its factors.
    const place = (hash ^ (hash >>> 15)) & (this.#kept.length - 1);
    return (this.#kept[place] ??= new NeighborSystem(this.#most));
  }
}
