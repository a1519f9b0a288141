import { Counter, type Family, Gauge, Histogram, type MetricDefinition } from './series.js';

/** Of requests and statements, in seconds: from what is felt at once to what is given up. */
export const QUICK_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of waiting and running, in seconds: from a moment to a day. */
export const LONG_SECONDS = [0.01, 0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/**
 * What this process measures. Whoever measures something defines it here once, when it is made; when nobody
 * can read it (`on` is false) it is to be left alone: that costs nothing then.
 */
export class Metrics {
  readonly families: Family[] = [];
  /** Called before each exposition; must be quick or cached, and may fail. */
  readonly refreshes: (() => Promise<void>)[] = [];

  constructor(readonly on: boolean) {}

  counter(definition: MetricDefinition): Counter {
    return this.kept(new Counter(definition));
  }

  /** @param bounds ascending, in the unit of the name */
  histogram(definition: MetricDefinition, bounds: readonly number[]): Histogram {
    return this.kept(new Histogram(definition, bounds));
  }

  /** @param read asked at each exposition: the values of the labels, and the value */
  gauge(
    definition: MetricDefinition,
    read: () => Iterable<readonly [values: readonly string[], value: number]>,
  ): void {
    this.kept(new Gauge(definition, read));
  }

  private kept<F extends Family>(family: F): F {
    if (this.families.some(({ name }) => name === family.name)) {
      throw new TypeError(`There is a metric ${family.name} already.`);
    }
    this.families.push(family);
    return family;
  }
}
