/** Any JSON value as a text: a text as it is, the rest as JSON. */
export const valueWords = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
