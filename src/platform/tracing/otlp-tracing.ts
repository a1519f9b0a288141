import type { SpanContext, Tracer } from '@opentelemetry/api';
import type { Config } from '../config.js';
import type { Metrics } from '../metrics/metrics.js';
import { VERSION } from '../version.js';
import { SpanQueue } from './span-queue.js';
import { TraceBudget } from './trace-budget.js';
import { readTraceparent, writeTraceparent } from './traceparent.js';
import { NoTracing, type OpenSpan, type SpanOptions, Tracing } from './tracing.js';

/** Of an attribute, in characters. */
const MAX_ATTRIBUTE = 1_024;

type TracingConfig = Pick<
  Config,
  | 'OTEL_EXPORTER_OTLP_ENDPOINT'
  | 'OTEL_EXPORTER_OTLP_HEADERS'
  | 'OTEL_SERVICE_NAME'
  | 'OTEL_TRACES_SAMPLER_ARG'
  | 'ROLE'
  | 'TRACES_PER_SECOND'
>;

/** Tracing as it is configured: what it needs is only loaded when there is somebody to tell. */
export async function tracingOf(config: TracingConfig, metrics: Metrics): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = config;
  if (endpoint === undefined) {
    return new NoTracing();
  }
  const [api, sdk, { JsonTraceSerializer }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/otlp-transformer'),
    import('@opentelemetry/resources'),
  ]);
  const queue = new SpanQueue(
    {
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      serialize: (spans) => JsonTraceSerializer.serializeRequest(spans),
    },
    metrics,
  );
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.OTEL_SERVICE_NAME,
      'service.version': VERSION,
      'headframe.role': config.ROLE,
    }),
    sampler: new sdk.AlwaysOnSampler(),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE },
    spanProcessors: [queue],
  });
  return new OtlpTracing(api, provider.getTracer('headframe', VERSION), queue, {
    begun: config.OTEL_TRACES_SAMPLER_ARG,
    perSecond: config.TRACES_PER_SECOND,
  });
}

class OtlpTracing extends Tracing {
  readonly on = true;
  private readonly begun: number;
  private readonly budget: TraceBudget;

  /** @param recorded `begun`: which part of the requests begin a trace, from 0 to 1 */
  constructor(
    private readonly api: typeof import('@opentelemetry/api'),
    private readonly tracer: Tracer,
    private readonly queue: SpanQueue,
    recorded: { readonly begun: number; readonly perSecond: number },
  ) {
    super();
    this.begun = recorded.begun;
    this.budget = new TraceBudget(recorded.perSecond);
  }

  begins(): boolean {
    return Math.random() < this.begun && this.mayRecord();
  }

  mayRecord(): boolean {
    const may = this.budget.take();
    if (!may) {
      this.queue.noteLimited();
    }
    return may;
  }

  start(name: string, options: SpanOptions): OpenSpan {
    const { SpanKind, SpanStatusCode, trace, ROOT_CONTEXT } = this.api;
    const { kind = 'internal', startedAt, attributes } = options;
    const parent = this.placeOf(options.parent);
    const links = (options.links ?? [])
      .map((link) => this.placeOf(link))
      .filter((place) => place !== null)
      .map((context) => ({ context }));
    const span = this.tracer.startSpan(
      name,
      {
        kind: SpanKind[kind.toUpperCase() as 'SERVER' | 'CONSUMER' | 'INTERNAL'],
        links,
        ...(startedAt !== undefined && { startTime: startedAt }),
        ...(attributes !== undefined && { attributes: { ...attributes } }),
      },
      parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    const { traceId, spanId } = span.spanContext();
    return {
      traceparent: writeTraceparent({ traceId, spanId, sampled: true }),
      set: (more) => void span.setAttributes({ ...more }),
      end: (failed = null, endedAt) => {
        if (failed !== null) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: failed });
        }
        span.end(endedAt);
      },
    };
  }

  async close(): Promise<void> {
    await this.queue.shutdown();
  }

  private placeOf(traceparent: string | null): SpanContext | null {
    const place = readTraceparent(traceparent);
    return place === null
      ? null
      : {
          traceId: place.traceId,
          spanId: place.spanId,
          traceFlags: this.api.TraceFlags.SAMPLED,
          isRemote: true,
        };
  }
}
