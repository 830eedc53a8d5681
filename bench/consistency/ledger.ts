/** What was asked, what was checked, and what was wrong. */

export interface Wrong {
  /** The session's tag, its database and what was checked. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** Beyond so many wrong answers the run ends: it has said what it has to say. */
export const mostWrong = 20;

export class Ledger {
  sessions = 0;
  queries = 0;
  transactions = 0;
  checks = 0;
  /** Sessions that left without a word, and queries that were cancelled. */
  vanished = 0;
  cancelled = 0;
  readonly wrong: Wrong[] = [];
  /** Errors nobody asked for, by SQLSTATE and message. */
  readonly errors = new Map<string, number>();
  /** Checks by scenario. */
  readonly byScenario = new Map<string, number>();

  /** Compares what came with what had to come. Rows are arrays of columns as text. */
  equal(got: unknown, expected: unknown, what: string): boolean {
    this.checks++;
    const [gotText, expectedText] = [JSON.stringify(got), JSON.stringify(expected)];
    if (gotText === expectedText) return true;
    return this.fault(what, expectedText, gotText);
  }

  /** A condition that is more than equality. */
  holds(condition: boolean, what: string, got: unknown): boolean {
    this.checks++;
    return condition || this.fault(what, 'otherwise', JSON.stringify(got));
  }

  private fault(what: string, expected: string | undefined, got: string | undefined): false {
    this.wrong.push({ what, expected: (expected ?? 'undefined').slice(0, 500), got: (got ?? 'undefined').slice(0, 500) });
    return false;
  }

  unexpected(error: string): void {
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
  }

  /** No wrong row, and no error but those that a standby may give for good reason. */
  get clean(): boolean {
    return this.wrong.length === 0 && this.errors.size === 0;
  }
}
