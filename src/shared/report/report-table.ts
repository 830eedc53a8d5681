/** A report: names of columns, and rows of as many texts. Rows may be many, so they are made one by one. */
export interface ReportTable {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly string[]>;
  /** How many rows there are. */
  readonly count: number;
}

/** A report of few rows. */
export function reportTable(columns: readonly string[], rows: readonly (readonly string[])[]): ReportTable {
  return { columns, rows, count: rows.length };
}
