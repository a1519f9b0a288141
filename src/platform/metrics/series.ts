/** What a family of measurements is called, and what it tells. */
export interface MetricDefinition {
  /** By the conventions of Prometheus: base units, `_total` for what is counted. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** One line of an exposition, as the client library takes it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With its ending, where that is not the family's name. */
  readonly metricName?: string;
}

/** One of the measurements that share a name; in the shape that the client library reads. */
export interface Family extends MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  samples(): Sample[];
}

/** More combinations of labels than this are counted together, each label being {@link OTHER}. */
const MAX_SERIES = 1_000;
const OTHER = 'other';

/**
 * Series by the values of their labels. Looking one up costs a string; whoever measures in a hot path keeps
 * it. The client library's own metrics look it up, check it and hash it each time: 0.9 µs, of 14 that a worker
 * needs for a job.
 */
class SeriesMap<Series> {
  private readonly known = new Map<
    string,
    { readonly values: readonly string[]; series: Series }
  >();

  constructor(
    private readonly names: readonly string[],
    private readonly make: () => Series,
  ) {}

  of(values: readonly string[]): Series {
    const key = values.join('\u0000');
    const found = this.known.get(key);
    if (found !== undefined) {
      return found.series;
    }
    const others = values.map(() => OTHER);
    if (this.known.size >= MAX_SERIES && key !== others.join('\u0000')) {
      return this.of(others);
    }
    const series = this.make();
    this.known.set(key, { values, series });
    return series;
  }

  *[Symbol.iterator](): Iterator<readonly [Record<string, string>, Series]> {
    for (const { values, series } of this.known.values()) {
      yield [labelsOf(this.names, values), series];
    }
  }
}

const labelsOf = (names: readonly string[], values: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));

/** A number that only grows. */
export class Count {
  value = 0;

  /** @param by 0 or more */
  add(by = 1): void {
    this.value += by;
  }
}

/** How many values fell into which part of their range. */
export class Spread {
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds ascending; a value belongs to the first that it does not exceed */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] as number)) {
      place += 1;
    }
    this.counts[place] = (this.counts[place] as number) + 1;
    this.sum += value;
  }
}

/** What has no labels is there from the start: an increase from nothing to 1 is none for Prometheus. */
function beginAtZero(family: { readonly labels: readonly string[]; of(): unknown }): void {
  if (family.labels.length === 0) {
    family.of();
  }
}

export class Counter implements Family {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  private readonly series: SeriesMap<Count>;

  constructor({ name, help, labels = [] }: MetricDefinition) {
    this.name = name;
    this.help = help;
    this.labels = labels;
    this.series = new SeriesMap(labels, () => new Count());
    beginAtZero(this);
  }

  /** @param values of the labels, in their order */
  of(...values: readonly string[]): Count {
    return this.series.of(values);
  }

  samples(): Sample[] {
    return [...this.series].map(([labels, { value }]) => ({ labels, value }));
  }
}

export class Histogram implements Family {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  private readonly series: SeriesMap<Spread>;

  constructor(
    { name, help, labels = [] }: MetricDefinition,
    private readonly bounds: readonly number[],
  ) {
    this.name = name;
    this.help = help;
    this.labels = labels;
    this.series = new SeriesMap(labels, () => new Spread(bounds));
    beginAtZero(this);
  }

  /** @param values of the labels, in their order */
  of(...values: readonly string[]): Spread {
    return this.series.of(values);
  }

  samples(): Sample[] {
    return [...this.series].flatMap(([labels, { counts, sum }]) => {
      let below = 0;
      const buckets = [...this.bounds, '+Inf'].map((le, place) => {
        below += counts[place] as number;
        return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: below };
      });
      return [
        ...buckets,
        { metricName: `${this.name}_sum`, labels, value: sum },
        { metricName: `${this.name}_count`, labels, value: below },
      ];
    });
  }
}

/** Something that is read when it is asked for. */
export class Gauge implements Family {
  readonly type = 'gauge';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];

  constructor(
    { name, help, labels = [] }: MetricDefinition,
    private readonly read: () => Iterable<readonly [values: readonly string[], value: number]>,
  ) {
    this.name = name;
    this.help = help;
    this.labels = labels;
  }

  samples(): Sample[] {
    return [...this.read()].map(([values, value]) => ({
      labels: labelsOf(this.labels, values),
      value,
    }));
  }
}
