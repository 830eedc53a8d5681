/** An HTTP request that is answered with an error. The message is for the client. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';

  constructor(readonly status: number, message: string, readonly headers: Readonly<Record<string, string>> = {}) {
    super(message);
  }
}
