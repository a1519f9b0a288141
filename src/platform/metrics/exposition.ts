import { Logger } from '@nestjs/common';
import type { Metric, Registry } from '@prometheus-io/client';
import type { Metrics } from './metrics.js';
import type { Family } from './series.js';

/** What was told is told again for so long: who asks every 100 ms costs no more than who asks every second. */
const TOLD_AGAIN_MS = 1_000;
/** What has to be asked for first (from the database) may take so long; then what was known before is told. */
const REFRESH_MS = 500;

/** What the library tells under names that are none by its own conventions, or twice. */
const ILL_NAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

export type ExpositionFormat = 'prometheus' | 'openmetrics';

interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Tells what is measured, in the formats of Prometheus, together with what Node says of its process. */
export class Expositions {
  private readonly logger = new Logger('Metrics');
  private readonly told = new Map<
    ExpositionFormat,
    { readonly at: number; readonly made: Promise<Exposition> }
  >();
  private registry: Promise<Registry> | null = null;

  constructor(private readonly metrics: Metrics) {}

  /** At most a second old. Never rejects for what cannot be read: that is left out. */
  async in(format: ExpositionFormat): Promise<Exposition> {
    const now = performance.now();
    const told = this.told.get(format);
    if (told !== undefined && now - told.at < TOLD_AGAIN_MS) {
      return told.made;
    }
    const made = this.make(format);
    this.told.set(format, { at: now, made });
    return made;
  }

  /** The registry of the client library, which is loaded when somebody first asks. */
  async registered(): Promise<Registry> {
    this.registry ??= this.register();
    return this.registry;
  }

  private async make(format: ExpositionFormat): Promise<Exposition> {
    await this.refresh();
    const registry = await this.registered();
    if (format === 'prometheus') {
      return { contentType: registry.contentType, text: await registry.metrics() };
    }
    // Of its own: in this format the library renames the counters that it is given.
    const { Registry: Registries } = await import('@prometheus-io/client');
    const renamed = new Registries(Registries.OPENMETRICS_CONTENT_TYPE);
    (await registry.getMetricsAsJSON()).forEach((metric) => {
      const name =
        metric.type.toString() === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
      renamed.registerMetric({ ...metric, name, get: () => ({ ...metric, name }) } as never);
    });
    return { contentType: renamed.contentType, text: await renamed.metrics() };
  }

  private async refresh(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, REFRESH_MS).unref());
    const all = this.metrics.refreshes.map((refresh) =>
      refresh().catch((error: unknown) => {
        this.logger.debug({ err: error }, 'something could not be measured');
      }),
    );
    await Promise.race([late, Promise.all(all)]);
  }

  private async register(): Promise<Registry> {
    const { Registry: Registries, collectDefaultMetrics } = await import('@prometheus-io/client');
    const registry = new Registries();
    collectDefaultMetrics({ register: registry });
    ILL_NAMED.forEach((name) => registry.removeSingleMetric(name));
    this.metrics.families.forEach((family) => registry.registerMetric(metricOf(family)));
    return registry;
  }
}

/** A family in the shape that the library has for its own. */
const metricOf = (family: Family): Metric<string> =>
  ({
    name: family.name,
    help: family.help,
    type: family.type,
    labelNames: family.labels,
    get: () => ({
      name: family.name,
      help: family.help,
      type: family.type,
      values: family.samples(),
    }),
  }) as never;
