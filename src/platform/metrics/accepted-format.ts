import type { ExpositionFormat } from './exposition.js';

/**
 * Which format a scraper would rather have, by its `Accept`. Who takes neither is sent Prometheus' text: it can
 * be read by eye.
 */
export function acceptedFormat(accept: string | undefined): ExpositionFormat {
  const weights = (accept ?? '').split(',').map(weighed);
  const weightOf = (type: string): number =>
    Math.max(0, ...weights.filter((each) => each.type === type).map(({ weight }) => weight));
  return weightOf('application/openmetrics-text') > weightOf('text/plain')
    ? 'openmetrics'
    : 'prometheus';
}

function weighed(range: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 };
}
