import type { z } from 'zod';
import { blank, orNull } from '../targets/estimates-summary.js';
import {
  type DiagnosticWishes,
  type diagnosticResults,
  NUMERIC_DIAGNOSTICS,
  wanted,
} from './diagnostics.schema.js';
import { type DiagnosticArrays, VALID } from './kriging-diagnostics.js';

/** @param points how many there are */
export function diagnosticArrays(wishes: DiagnosticWishes, points: number): DiagnosticArrays {
  const names = wanted(wishes);
  const numeric = NUMERIC_DIAGNOSTICS.filter((name) => names.includes(name));
  return {
    numbers: Object.fromEntries(numeric.map((name) => [name, blank(points)])),
    valid: names.includes('valid') ? new Int8Array(new SharedArrayBuffer(points)) : undefined,
  };
}

/** What was wanted, as results; undefined when nothing was. */
export function resultsOf({ numbers, valid }: DiagnosticArrays): z.input<typeof diagnosticResults> {
  const lists = Object.entries(numbers).map(([name, list]) => [name, orNull(list)]);
  if (lists.length === 0 && valid === undefined) return undefined;
  return {
    ...(valid && { valid: Array.from(valid, (mark) => (mark === 0 ? null : mark === VALID)) }),
    ...Object.fromEntries(lists),
  };
}
