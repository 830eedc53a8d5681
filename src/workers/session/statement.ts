/** A statement prepared by Parse, or by PREPARE: enough to prepare it again, silently, on another node. */
import type { Plan } from '../sql/plan.js';

export class Statement {
  /** A node on which it could not be prepared, -1 = none: it is not tried there again. */
  unfitFor = -1;

  constructor(
    /** '' for the unnamed statement. */
    readonly name: string,
    /** The whole message that prepares it: Parse, or a Query. */
    readonly message: Buffer,
    readonly plan: Plan,
    /** Whether its text may leave the primary as far as the text alone goes. */
    readonly mayLeave: boolean,
    /** Prepared by SQL. */
    readonly bySql = false,
  ) {}

  /** Its SQL text. */
  get text(): string {
    const from = this.message.indexOf(0, 5) + 1;
    return this.message.toString('utf8', from, Math.max(from, this.message.indexOf(0, from)));
  }
}
