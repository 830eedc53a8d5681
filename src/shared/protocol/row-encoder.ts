/** DataRow messages of text cells, many into one buffer: for answers of pgloom's own that may be long. */
import { B } from './letters.js';

/** A character of UTF-16 has at most three bytes in UTF-8. */
const maxBytesPerUnit = 3;

export class RowEncoder {
  private buffer = Buffer.allocUnsafe(65_536);
  private end = 0;

  /** Bytes encoded and not taken yet. */
  get size(): number {
    return this.end;
  }

  add(row: readonly string[]): void {
    let mostBytes = 7;
    for (const cell of row) mostBytes += 4 + cell.length * maxBytesPerUnit;
    this.reserve(mostBytes);
    const { buffer } = this;
    const start = this.end;
    let at = start + 7;
    for (const cell of row) {
      const written = buffer.write(cell, at + 4, 'utf8');
      buffer.writeInt32BE(written, at);
      at += 4 + written;
    }
    buffer[start] = B.dataRow;
    buffer.writeInt32BE(at - start - 1, start + 1);
    buffer.writeInt16BE(row.length, start + 5);
    this.end = at;
  }

  /** What has been encoded; the caller owns it. */
  take(): Buffer {
    const taken = this.buffer.subarray(0, this.end);
    this.buffer = Buffer.allocUnsafe(65_536);
    this.end = 0;
    return taken;
  }

  private reserve(bytes: number): void {
    if (this.buffer.length - this.end >= bytes) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}
