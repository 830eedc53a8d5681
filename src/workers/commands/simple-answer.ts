/**
 * An own answer in the simple protocol. A long one is given piece by piece, as the client takes it, so that it neither holds
 * the thread's other clients up nor fills the memory.
 */
import { encodeError, encodeNotice } from '../../shared/errors.js';
import { B } from '../../shared/protocol/letters.js';
import { RowEncoder } from '../../shared/protocol/row-encoder.js';
import { message, readyForQuery, textDescription } from '../../shared/protocol/writer.js';
import type { ReportTable } from '../../shared/report/report-table.js';
import type { ClientLink } from '../session/client-link.js';
import type { OwnAnswer } from './own-answer.js';

const pieceBytes = 65_536;
/** How often it is looked whether the client has taken the last piece. */
const lookMs = 20;

/**
 * Sends the answer.
 * @param status transaction status for ReadyForQuery (Pgpool-II always says idle, also within a transaction)
 * @param sent called later when the answer is too long to be sent at once
 * @param progress called with each piece: the session is not idle
 * @returns whether all of it has been sent
 */
export function sendSimpleAnswer(client: ClientLink, answer: OwnAnswer, status: number, sent: () => void, progress: () => void): boolean {
  if (answer.type === 'rows') return new RowStream(client, answer.table, status, sent, progress).begin();
  const bytes = Buffer.concat([...body(answer), readyForQuery(status)]);
  client.forward(bytes, 0, bytes.length, client);
  return true;
}

function body(answer: Exclude<OwnAnswer, { type: 'rows' }>): Buffer[] {
  if (answer.type === 'error') return [encodeError(answer.error)];
  const complete = message(B.commandComplete, answer.tag);
  return answer.notice === undefined ? [complete] : [encodeNotice('NOTICE', '00000', answer.notice), complete];
}

class RowStream {
  private readonly encoder = new RowEncoder();
  private readonly rows: Iterator<readonly string[]>;
  private count = 0;

  constructor(private readonly client: ClientLink, private readonly table: ReportTable, private readonly status: number, private readonly sent: () => void, private readonly progress: () => void) {
    this.rows = table.rows[Symbol.iterator]();
  }

  begin(): boolean {
    this.write(textDescription(this.table.columns));
    return this.piece();
  }

  /** Sends the next piece; true when it was the last. */
  private piece(): boolean {
    while (this.encoder.size < pieceBytes) {
      const { done, value } = this.rows.next() as IteratorResult<readonly string[], undefined>;
      if (done === true) {
        this.write(Buffer.concat([this.encoder.take(), message(B.commandComplete, `SELECT ${this.count}`), readyForQuery(this.status)]));
        return true;
      }
      this.encoder.add(value);
      this.count++;
    }
    this.progress();
    this.write(this.encoder.take());
    this.wait();
    return false;
  }

  private wait(): void {
    setTimeout(() => {
      if (this.client.closed) return;
      if (this.client.isHeldBack) this.wait();
      else if (this.piece()) this.sent();
    }, this.client.isHeldBack ? lookMs : 0);
  }

  private write(bytes: Buffer): void {
    this.client.forward(bytes, 0, bytes.length, this.client);
  }
}
