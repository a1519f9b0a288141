import { cutText } from '../../platform/text/cut-text.js';

/** In UTF-16 code units. */
const MAX_MESSAGE = 1_000;

/** A message of a task as its job keeps it: cut, and without what the database cannot hold. */
export const storableMessage = (message: string): string =>
  cutText(message.replaceAll('\u0000', ''), MAX_MESSAGE).toWellFormed();
