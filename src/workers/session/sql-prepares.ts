/**
 * PREPARE … AS by SQL. The primary always has the statement; what it is and how it is said are remembered once the
 * server has accepted it, so that EXECUTE may go where the prepared query itself may go, and the statement is prepared
 * on a reader when it is first needed there.
 */
import { Statement } from './statement.js';

export class SqlPrepares {
  private readonly sent: Statement[] = [];

  /** A PREPARE is being sent as a simple query. @param text data[from, to) is its SQL */
  add(statement: Pick<Statement, 'name' | 'plan' | 'mayLeave'>, data: Buffer, from: number, to: number): void {
    const message = Buffer.alloc(to - from + 6);
    message.write('Q', 'latin1');
    message.writeInt32BE(message.length - 1, 1);
    data.copy(message, 5, from, to);
    this.sent.push(new Statement(statement.name, message, statement.plan, statement.mayLeave, true));
  }

  get isAwaited(): boolean {
    return this.sent.length > 0;
  }

  /** All answers are in: those that have been prepared. After an error among several nobody knows which: none. */
  settled(failed: boolean): readonly Statement[] {
    const prepared = this.sent.splice(0);
    return failed ? [] : prepared;
  }
}
