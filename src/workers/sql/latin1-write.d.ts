/** Node's fast encoder into a part of a buffer is there on every version; its type package leaves it out. */
interface Buffer {
  latin1Write(text: string, offset: number, length: number): number;
}
