/** Which clients have been posted to a worker and not been taken by it yet; see Task in src/shared/messages.ts. */
export class Tickets {
  private readonly words: Int32Array;
  private readonly free: number[] = [];

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    for (let ticket = this.words.length - 1; ticket >= 0; ticket--) this.free.push(ticket);
  }

  /** A ticket for one more client. There are as many as children, so there is always one. */
  take(): number {
    const ticket = this.free.pop();
    if (ticket === undefined) throw new Error('more clients than children');
    return ticket;
  }

  giveBack(ticket: number): void {
    this.free.push(ticket);
  }

  /** The client is about to be posted. */
  open(ticket: number): void {
    Atomics.store(this.words, ticket, 1);
  }

  /** No worker has taken the client since. */
  isOpen(ticket: number): boolean {
    return Atomics.load(this.words, ticket) === 1;
  }
}
