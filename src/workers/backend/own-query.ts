/** pgloom's own queries on a link that no session has: resets and questions to the catalog. */
import { B, F } from '../../shared/protocol/letters.js';
import { int16, int32, message, query, syncMessage } from '../../shared/protocol/writer.js';
import type { BackendLink, LinkUser } from './backend-link.js';

const answerLimitBytes = 16 * 1024 * 1024;

/** Collects the answer of simple queries; the promise fails on an ErrorResponse, a lost link, or the time limit. */
class OwnQuery implements LinkUser {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private error: Error | null = null;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly link: BackendLink,
    bytes: Buffer,
    answers: number,
    timeoutMs: number,
    private readonly resolve: (answer: Buffer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => {
      link.destroy();
      this.end(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    link.user = this;
    link.asked += answers;
    link.send(bytes);
  }

  relay(_link: BackendLink, data: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (this.bytes > answerLimitBytes) this.error ??= new Error('answer too large');
    else this.chunks.push(Buffer.from(data.subarray(start, end)));
  }

  complete(): void {}

  settled(): void {
    this.end(this.error);
  }

  failed(_link: BackendLink, message: Buffer | null): void {
    this.error ??= new Error(message === null ? 'query failed' : errorText(message));
  }

  lost(_link: BackendLink, reason: string): void {
    this.end(new Error(reason));
  }

  broken(_link: BackendLink, error: Error): void {
    this.end(error);
  }

  prepared(): void {}

  unprepared(): void {}

  changed(): void {}

  unasked(): void {}

  private end(error: Error | null): void {
    clearTimeout(this.timer);
    this.link.user = null;
    if (error === null) this.resolve(Buffer.concat(this.chunks));
    else this.reject(error);
  }
}

function errorText(message: Buffer): string {
  const at = message.indexOf('\0M', 5, 'latin1');
  return at < 0 ? 'query failed' : message.toString('utf8', at + 2, message.indexOf(0, at + 2));
}

/** Runs the statements, all sent at once. @throws when one fails or the link is lost */
export function runAll(link: BackendLink, sqls: readonly string[], timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => new OwnQuery(link, Buffer.concat(sqls.map(query)), sqls.length, timeoutMs, resolve, reject));
}

/** Runs one query and returns its rows as text. @throws as runAll */
export async function askRows(link: BackendLink, sql: string, timeoutMs: number): Promise<(string | null)[][]> {
  return rowsOf(await runAll(link, [sql], timeoutMs));
}

/** The same for a query with parameters, given as text ($1, …). @throws as runAll */
export async function askRowsWith(link: BackendLink, sql: string, values: readonly string[], timeoutMs: number): Promise<(string | null)[][]> {
  const bound = values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]);
  const bytes = Buffer.concat([
    message(F.parse, '', sql, int16(0)),
    message(F.bind, '', '', int16(0), int16(values.length), ...bound, int16(0)),
    message(F.execute, '', int32(0)),
    syncMessage,
  ]);
  return rowsOf(await new Promise((resolve, reject) => new OwnQuery(link, bytes, 1, timeoutMs, resolve, reject)));
}

function rowsOf(answer: Buffer): (string | null)[][] {
  const rows: (string | null)[][] = [];
  for (let pos = 0; pos + 5 <= answer.length; pos += 1 + answer.readInt32BE(pos + 1)) {
    if (answer[pos] === B.dataRow) rows.push(dataRow(answer, pos + 5));
  }
  return rows;
}

function dataRow(answer: Buffer, from: number): (string | null)[] {
  const cells: (string | null)[] = [];
  let at = from + 2;
  for (let left = answer.readInt16BE(from); left > 0; left--) {
    const length = answer.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : answer.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return cells;
}
