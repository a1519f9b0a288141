import { valueWords } from '../format/value-words.js';

/** The part of an address behind the question mark, by name: a name that comes twice is a list. */
export type Search = Readonly<Record<string, string | readonly string[] | undefined>>;

export function parseSearch(text: string): Record<string, string | string[]> {
  const search: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const known = search[name];
    search[name] = known === undefined ? value : [known, value].flat();
  }
  return search;
}

export function printSearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== '') query.append(name, valueWords(each));
    }
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

export const listOf = (value: Search[string]): string[] =>
  value === undefined ? [] : ([value].flat() as string[]);

export const textOf = (value: Search[string]): string => listOf(value)[0] ?? '';
