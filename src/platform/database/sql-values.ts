/** The values of a statement that is put together from parts: each gets the next number. */
export class SqlValues {
  readonly values: unknown[] = [];

  /** @param type the PostgreSQL type that the value is taken for @returns the SQL that stands for the value */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
