import type { Packed } from '../document/packed.js';
import { unpack } from '../document/packed.js';

/** A longer draft is not kept: the storage of a tab has a few megabytes. */
const MOST_CHARACTERS = 1_000_000;

const keyOf = (org: string, task: string): string => `headframe.draft.${org}.${task}`;

/** What was typed for a task in this tab, before a reload or a sign-in at another page. */
export function readDraft(org: string, task: string): Record<string, unknown> | null {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(org, task)) ?? 'null') as Record<
      string,
      unknown
    > | null;
  } catch {
    return null;
  }
}

export function keepDraft(org: string, task: string, parameters: unknown): void {
  try {
    const text = JSON.stringify(unpack(parameters as Packed));
    if (text.length <= MOST_CHARACTERS) sessionStorage.setItem(keyOf(org, task), text);
    else sessionStorage.removeItem(keyOf(org, task));
  } catch {
    // The storage is full, or not allowed here: the page itself still has it.
  }
}

export const dropDraft = (org: string, task: string): void =>
  sessionStorage.removeItem(keyOf(org, task));
