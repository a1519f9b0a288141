/** W3C Trace Context, section 3.2: versions after 00 may say more behind what is known. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_CHARACTERS = 128;
const SAMPLED = 1;

/** The place in a trace that a `traceparent` names. */
export interface TracePlace {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether whoever began the trace records it. */
  readonly sampled: boolean;
}

/** @returns null for anything that is no `traceparent`: a trace begins anew then, as the standard says */
export function readTraceparent(text: unknown): TracePlace | null {
  const parts =
    typeof text === 'string' && text.length <= MAX_CHARACTERS ? TRACEPARENT.exec(text) : null;
  if (parts === null) {
    return null;
  }
  const [whole, traceId = '', spanId = '', flags = '', more] = parts;
  const isZero = /^0+$/.test(traceId) || /^0+$/.test(spanId);
  if (isZero || (whole.startsWith('00') && more !== undefined)) {
    return null;
  }
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** 55 characters. */
export const writeTraceparent = ({ traceId, spanId, sampled }: TracePlace): string =>
  `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;

/** Whether somebody records the trace; of a place that this service wrote, without reading all of it. */
export const isRecorded = (traceparent: string): boolean => traceparent.endsWith('1');

/** The same place in a trace that nobody records from there on. */
export const unrecorded = (traceparent: string): string => `${traceparent.slice(0, -1)}0`;

/** The trace's id, for lines of the log; nothing without one. */
export const traceFields = (
  traceparent: string | null | undefined,
): { readonly trace_id?: string } =>
  typeof traceparent === 'string' ? { trace_id: traceparent.split('-')[1] as string } : {};
