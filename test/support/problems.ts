import { Client as Connection } from 'pg';
import { expect } from 'vitest';
import { PROBLEM } from '../../src/platform/http/problem/problem.schema.js';
import type { Answer } from './client.js';

/** Tests put this into what they send: no problem may say it back. */
export const MARKER = 'never-to-be-repeated';

/** What no problem may contain: parser text, SQL, stacks, paths and names of the machinery. */
export const LEAKS =
  /SyntaxError|TypeError|RangeError|Error:|Unexpected|in JSON at|position \d|SELECT|INSERT|SQLSTATE|prisma|postgres|zod|fastify|nestjs|node:|node_modules|dist\/|src\/|\.[jt]s\b|\n\s+at /i;

/** Asserts a problem document of the contract: status, slug, type, request id, and nothing leaked. */
export function expectProblem(
  answer: Pick<Answer, 'status' | 'headers' | 'text'>,
  status: number,
  slug: string,
): void {
  const body = answer.text === '' ? {} : (JSON.parse(answer.text) as Record<string, unknown>);
  expect({ status: answer.status, type: body.type }).toEqual({
    status,
    type: expect.stringMatching(new RegExp(`^\\w+:.*/${slug}$`)),
  });
  expect(PROBLEM.safeParse(body).error).toBeUndefined();
  expect(body).toMatchObject({
    status,
    title: expect.stringMatching(/\S/),
    detail: expect.stringMatching(/\S/),
  });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]{8,128}$/);
  expect(answer.text).not.toMatch(LEAKS);
  expect(answer.text).not.toContain(MARKER);
}

/** Counts what submitting leaves in a database: jobs and their parameters. */
export class RowCount {
  static async open(url: string): Promise<RowCount> {
    const connection = new Connection(url);
    await connection.connect();
    return new RowCount(connection);
  }

  private constructor(readonly connection: Connection) {}

  async now(): Promise<number> {
    const { rows } = await this.connection.query<{ count: number }>(
      'SELECT ((SELECT count(*) FROM job_submissions) + (SELECT count(*) FROM job_queue) + (SELECT count(*) FROM job_parameters))::int AS count',
    );
    return rows[0]?.count ?? Number.NaN;
  }

  /** Runs something, and asserts that it left no row behind. */
  async unchangedBy<T>(act: () => Promise<T>): Promise<T> {
    const before = await this.now();
    const result = await act();
    expect(await this.now()).toBe(before);
    return result;
  }

  close(): Promise<void> {
    return this.connection.end();
  }
}
