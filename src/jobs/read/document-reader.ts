import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Tally } from '../../platform/tally.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { JobKey } from '../job/job.js';

/** Bytes of one piece: some milliseconds of the event loop. */
const PIECE_BYTES = 786_432;
/** What is read: the table and the column of each. */
const DOCUMENTS = { results: 'job_results', parameters: 'job_parameters' } as const;
export type JobDocument = keyof typeof DOCUMENTS;

/** Clients that a process sends large documents to at once: each holds a connection to the database. */
const MAX_READERS = 3;
/** Of one organization, so that another finds room. */
const MAX_READERS_OF_ONE = 2;

/**
 * Reads large results and parameters from the database as they are sent, piece by piece: what a client needs in memory
 * is one piece, however slowly it reads. One that takes no piece for ten seconds is cut off.
 */
@Injectable()
export class DocumentReader {
  private readonly readers = new Tally();
  private reading = 0;

  constructor(private readonly database: Database) {}

  /**
   * @param before bytes to send before the document, and `after` behind it
   * @throws Problem `too-many-requests` or `unavailable` when as many are being read as may be
   */
  read(key: JobKey, document: JobDocument, before: string, after: string): Readable {
    this.begin(key.orgId);
    const stream = Readable.from(this.pieces(key, document, before, after), {
      objectMode: false,
      highWaterMark: PIECE_BYTES,
    });
    return stream.once('close', () => this.end(key.orgId));
  }

  private async *pieces(
    key: JobKey,
    document: JobDocument,
    before: string,
    after: string,
  ): AsyncGenerator<Buffer> {
    yield Buffer.from(before);
    // In base64, since a piece may end within a character.
    const rows = this.database.readFor<{ piece: string }>([key.orgId], {
      text: `
        WITH document AS MATERIALIZED (
          SELECT convert_to(stored.${document}::text, 'UTF8') AS bytes
          FROM ${DOCUMENTS[document]} stored WHERE stored.job_id = $1 AND stored.org_id = $2
        )
        SELECT encode(substring(bytes FROM at FOR ${PIECE_BYTES}), 'base64') AS piece
        FROM document, generate_series(1, octet_length(bytes), ${PIECE_BYTES}) AS at`,
      values: [key.jobId, key.orgId],
    });
    let found = false;
    for await (const { piece } of rows) {
      found = true;
      yield Buffer.from(piece, 'base64');
    }
    if (!found) {
      throw new Error(`the ${document} were deleted before they could be read`);
    }
    yield Buffer.from(after);
  }

  private begin(orgId: string): void {
    if (this.readers.of(orgId) >= MAX_READERS_OF_ONE) {
      throw new Problem(
        'too-many-requests',
        'The organization reads as many large documents at once as it may: wait until one has arrived.',
        { headers: { 'retry-after': '2' } },
      );
    }
    if (this.reading >= MAX_READERS) {
      throw new Problem(
        'unavailable',
        'The service sends as many large documents at once as it may: try again soon.',
        { headers: { 'retry-after': '2' } },
      );
    }
    this.reading += 1;
    this.readers.add(orgId);
  }

  private end(orgId: string): void {
    this.reading -= 1;
    this.readers.remove(orgId);
  }
}
