import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pageLimit, parseQuery, wholeNumber } from '../../src/platform/http/paging/page-query.js';
import { cursorOf, idOfCursor } from '../../src/platform/http/paging/sealed-cursor.js';

const QUERY = z.object({
  limit: pageLimit(200).default(50),
  offset: wholeNumber(0, 1_000).default(0),
});

describe('the query of a page', () => {
  it('is what was sent, else what holds without it', () => {
    expect(parseQuery(QUERY, {})).toEqual({ limit: 50, offset: 0 });
    expect(parseQuery(QUERY, { limit: '200', offset: '007' })).toEqual({ limit: 200, offset: 7 });
  });

  it.each(['0', '201', '007', '1e2', '-1', '1.0', ' 1', '', '1\n', '99999999999', ['1', '2']])(
    'has no limit %j',
    (limit) => {
      expect(() => parseQuery(QUERY, { limit })).toThrow('malformed-request');
    },
  );

  it('names the first wrong parameter, and as many of the others as its route tells', () => {
    const wrong = { offset: 'secret', limit: 'secret' };
    const limit = { name: 'limit', reason: 'must be a whole number from 1 to 200' };
    const offset = { name: 'offset', reason: 'must be a whole number from 0 to 1000' };
    const problem = (invalidParams: unknown) => ({
      slug: 'malformed-request',
      detail: `The query parameter limit is wrong: ${limit.reason}.`,
      extra: { invalidParams },
    });
    expect(() => parseQuery(QUERY, wrong)).toThrow(expect.objectContaining(problem([limit])));
    expect(() => parseQuery(QUERY, wrong, 9)).toThrow(
      expect.objectContaining(problem([limit, offset])),
    );
  });
});

describe('a cursor', () => {
  const id = '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00';
  const cursor = cursorOf(id, ['org', 'ada']);

  it('names the place in the list that it was made for', () => {
    expect(idOfCursor(cursor, ['org', 'ada'])).toBe(id);
    expect(cursor).toMatch(/^[\w-]+$/);
  });

  it.each([
    ['another organization', cursor, ['other', 'ada']],
    ['another filter', cursor, ['org', '']],
    ['parts joined otherwise', cursor, ['orgada', '']],
    ['another spelling', `${cursor}=`, ['org', 'ada']],
    ['nothing', '', ['org', 'ada']],
  ])('is none for %s', (_, sent, list) => {
    expect(idOfCursor(sent, list)).toBeNull();
  });
});
