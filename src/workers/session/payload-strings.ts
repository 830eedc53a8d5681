/** The zero-terminated strings at the beginning of a message's payload, of which the end may not have been kept. */
export class PayloadStrings {
  private pos = 0;

  /** @param payloadBytes length of the whole payload, of which `payload` is the beginning */
  constructor(private readonly payload: Buffer, private readonly payloadBytes: number) {}

  /** The last one that was returned is only the beginning of the string. */
  isCut = false;

  /** The next string, '' behind the last one. */
  next(skipBytes = 0): string {
    const { payload } = this;
    const from = this.pos + skipBytes;
    const end = payload.indexOf(0, from);
    if (end >= 0) {
      this.pos = end + 1;
      return payload.toString('utf8', from, end);
    }
    this.pos = payload.length;
    this.isCut = payload.length < this.payloadBytes;
    return payload.toString('utf8', from, this.isCut ? wholeCharacters(payload, from) : payload.length);
  }
}

/** The end of the last UTF-8 character that is all there. */
function wholeCharacters(payload: Buffer, from: number): number {
  let start = payload.length - 1;
  while (start > from && start > payload.length - 4 && ((payload[start] as number) & 0xc0) === 0x80) start--;
  const first = payload[start] as number;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start + size > payload.length ? Math.max(from, start) : payload.length;
}
