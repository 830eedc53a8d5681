/** A listener could not be opened; the text says which address and why. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}
