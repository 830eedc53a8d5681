/** A statement prepared by Parse, or by PREPARE: enough to prepare it again, silently, on another node. */
import type { Plan } from '../sql/plan.js';

/** So much of a statement's text SHOW POOL_POOLS shows. */
export const shownBytes = 1023;

export class Statement {
  /** A node on which it could not be prepared, -1 = none: it is not tried there again. */
  unfitFor = -1;

  constructor(
    /** '' for the unnamed statement. */
    readonly name: string,
    /** The whole message that prepares it: Parse, or a Query. */
    public message: Buffer,
    readonly plan: Plan,
    /** Whether its text may leave the primary as far as the text alone goes. */
    readonly mayLeave: boolean,
    /** Prepared by SQL. */
    readonly bySql = false,
    /** The beginning of the client's text where the message has another. */
    private begin: string | null = null,
    /** What is kept of the message once it is sent; see forgetRows. */
    private readonly kept: Buffer | null = null,
  ) {}

  /** Of a long message that is never sent again the short form is kept: an own statement without its rows, with the same columns. */
  forgetRows(): void {
    if (this.kept !== null) this.message = this.kept;
  }

  /** The beginning of its text, one character for each byte. */
  get shown(): string {
    if (this.begin !== null) return this.begin;
    const from = this.message.indexOf(0, 5) + 1;
    const end = this.message.indexOf(0, from);
    return (this.begin = end < 0 ? '' : this.message.latin1Slice(from, Math.min(end, from + shownBytes)));
  }

  /** Its SQL text. */
  get text(): string {
    const from = this.message.indexOf(0, 5) + 1;
    return this.message.toString('utf8', from, Math.max(from, this.message.indexOf(0, from)));
  }
}
