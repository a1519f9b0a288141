/** @param {number[]} values @param {number} percent 0–100 @returns {number} nearest rank */
export function percentile(values, percent) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** @param {number[]} values @returns {number} */
export const median = (values) => percentile(values, 50);
