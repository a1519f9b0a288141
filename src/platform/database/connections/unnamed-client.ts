import pg from 'pg';

/**
 * A connection through a pooler: the next transaction may run in another session, which does not know the
 * statements that were named in this one. So none is named, and each is planned anew.
 */
export class UnnamedClient extends pg.Client {
  // oxlint-disable-next-line typescript/no-explicit-any -- passed on as they came, in any of pg's forms
  override query(statement: any, ...rest: any[]): any {
    // pg's own objects for cursors and the like (with `submit`) name nothing.
    const named = typeof statement === 'object' && typeof statement?.name === 'string';
    const { query } = pg.Client.prototype as { query: (...words: unknown[]) => unknown };
    return query.call(this, named ? { ...statement, name: undefined } : statement, ...rest);
  }
}
