/** Node's fast decoders of a part of a buffer are there on every version; its type package leaves them out. */
interface Buffer {
  latin1Slice(start: number, end: number): string;
}
