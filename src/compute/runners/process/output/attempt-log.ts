import { type LogAddition, type LogPiece, MAX_PIECE } from '../../../../jobs/logs/logs.store.js';
import type { Lease } from '../../../../jobs/lease/lease.store.js';
import { splitsPair } from '../../../../platform/text/cut-text.js';

/** What is kept of one attempt's log, in characters: the last of it. */
const KEPT_CHARACTERS = 1024 * 1024;
/** What may wait to be stored: less, so that a note about what was dropped is not dropped itself. */
const WAITING_CHARACTERS = KEPT_CHARACTERS - MAX_PIECE;
/** Most pieces that one attempt adds in one statement. */
const PIECES_AT_ONCE = 8;

/**
 * The log of one attempt: takes text as it comes, gives pieces to be stored, and forgets the oldest
 * where there is more than may be kept.
 */
export class AttemptLog {
  /** Not yet cut into pieces. */
  private waiting: string[] = [];
  private waitingCharacters = 0;
  private droppedCharacters = 0;
  /** Cut, and on their way to the database. */
  private sent: readonly LogPiece[] = [];
  private number = 0;
  /** Lengths of the pieces that the database has or will have, from `keepFrom` on. */
  private readonly kept: number[] = [];
  private keptCharacters = 0;
  private keepFrom = 1;

  constructor(private readonly lease: Lease) {}

  /** Adds text; U+0000 and halves of characters are replaced. */
  append(text: string): void {
    if (text === '') {
      return;
    }
    const storable = text.replaceAll('\u0000', '\uFFFD').toWellFormed();
    // Few pieces, however small the writes: taking the first of very many is slow.
    const joins = (this.waiting.at(-1)?.length ?? MAX_PIECE) < MAX_PIECE;
    this.waiting.push(joins ? `${this.waiting.pop()}${storable}` : storable);
    this.waitingCharacters += storable.length;
    for (let over = this.waitingCharacters - WAITING_CHARACTERS; over > 0;) {
      const oldest = this.waiting.shift() as string;
      const dropped = Math.min(splitsPair(oldest, over) ? over + 1 : over, oldest.length);
      if (oldest.length > dropped) {
        this.waiting.unshift(oldest.slice(dropped));
      }
      this.waitingCharacters -= dropped;
      this.droppedCharacters += dropped;
      over -= dropped;
    }
  }

  /** Adds a line of the service's own. */
  note(line: string): void {
    this.append(`[headframe] ${line}\n`);
  }

  get isEmpty(): boolean {
    return this.sent.length === 0 && this.waiting.length === 0;
  }

  /** The next pieces to be stored: the same ones until they are {@link stored}. Null: there are none. */
  next(): LogAddition | null {
    if (this.isEmpty) {
      return null;
    }
    if (this.sent.length === 0) {
      this.sent = this.cut();
    }
    return { ...this.lease, pieces: this.sent, keepFrom: this.keepFrom };
  }

  /** These pieces are in the database. */
  stored({ pieces }: LogAddition): void {
    if (this.sent === pieces) {
      this.sent = [];
    }
  }

  private cut(): LogPiece[] {
    const dropped =
      this.droppedCharacters === 0
        ? ''
        : `[headframe] ${this.droppedCharacters} characters of the log were dropped here\n`;
    this.droppedCharacters = 0;
    let text = dropped + this.waiting.join('');
    const pieces: LogPiece[] = [];
    while (text !== '' && pieces.length < PIECES_AT_ONCE) {
      const piece = text.slice(0, endOfPiece(text));
      text = text.slice(piece.length);
      this.number += 1;
      pieces.push({ number: this.number, text: piece });
      this.kept.push(piece.length);
      this.keptCharacters += piece.length;
    }
    this.waiting = text === '' ? [] : [text];
    this.waitingCharacters = text.length;
    while (this.keptCharacters > KEPT_CHARACTERS) {
      this.keptCharacters -= this.kept.shift() as number;
      this.keepFrom += 1;
    }
    return pieces;
  }
}

/** Where to cut: behind a line if there is one, and never within a character. */
function endOfPiece(text: string): number {
  if (text.length <= MAX_PIECE) {
    return text.length;
  }
  const line = text.lastIndexOf('\n', MAX_PIECE - 1) + 1;
  if (line > 0) {
    return line;
  }
  return splitsPair(text, MAX_PIECE) ? MAX_PIECE - 1 : MAX_PIECE;
}
